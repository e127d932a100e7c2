import type { SampleRecommendations, ShownItem } from '../samples/sample-recommendations.ts';
import type { TextTable } from './headline.ts';
import type { RunReport } from './run-report.ts';

/** What the models recommend to one session: a row per place, a column per model. */
export interface SampleTable extends TextTable {
  readonly title: string;
  /** `seen: A → B → C` */
  readonly seen: string;
  readonly next?: string;
  /** Cells that hold what came next, as `row,column`. */
  readonly hits: ReadonlySet<string>;
  readonly notes: readonly string[];
}

/** A title may be long; tables are not. */
const MAX_LETTERS = 60;

export function sampleTables({ samples }: Pick<RunReport, 'samples'>): SampleTable[] {
  return samples.map(tableOf);
}

function tableOf({ title, visible, numOlder, next, lists }: SampleRecommendations): SampleTable {
  const filled = lists.filter(({ items }) => items.length > 0);
  const numRows = Math.max(0, ...filled.map(({ items }) => items.length));
  const hits = new Set<string>();
  const rows = Array.from({ length: numRows }, (_, row) => [
    String(row + 1),
    ...filled.map(({ items }, column) => {
      const item = items[row];
      if (item && item.id === next?.id) hits.add(`${row},${column + 1}`);
      return item ? nameOf(item) : '–';
    }),
  ]);
  const older = numOlder > 0 ? `… ${numOlder} older → ` : '';
  return {
    title,
    seen: visible.length === 0 ? 'seen: nothing' : `seen: ${older}${visible.map(nameOf).join(' → ')}`,
    ...(next && { next: nameOf(next) }),
    head: ['place', ...filled.map(({ model }) => model)],
    rows,
    hits,
    notes: notesOf(lists),
  };
}

/** Why a model has no list; once where all have the same reason. */
function notesOf(lists: SampleRecommendations['lists']): string[] {
  const empty = lists.filter(({ items }) => items.length === 0);
  const reasons = [...new Set(empty.map(({ warning }) => warning ?? 'nothing can be recommended'))];
  return reasons.map((reason) => {
    const models = empty.filter(({ warning }) => (warning ?? 'nothing can be recommended') === reason);
    const whose = models.length === lists.length ? 'no model' : models.map(({ model }) => model).join(', ');
    return `No list of ${whose === 'no model' ? 'any model' : whose}: ${reason.replace(/^session \d+ /, 'the session ')}.`;
  });
}

function nameOf({ id, title }: ShownItem): string {
  const name = title ?? id;
  return name.length > MAX_LETTERS ? `${name.slice(0, MAX_LETTERS - 1)}…` : name;
}
