import { type EvaluationConfig, evaluatedMetrics, type TieRule } from '@nimue/trainer';
import { unknownTargetsNote } from './headline.ts';
import type { RunReport } from './run-report.ts';

const TIES: Record<TieRule, string> = {
  conservative: 'Ties count against the model.',
  optimistic: 'Ties count FOR the model: a model that gives all items the same score looks perfect.',
  mean: 'A tied target gets the mean of the metric over the places of its ties.',
  random: 'A tied target gets a random one of the places of its ties.',
};

/** How the figures came about, in the words of the field. */
export function protocolNotes(report: RunReport): readonly string[] {
  const {
    split,
    positions,
    targets: only,
    ties,
    seenItems,
    candidates,
    sampledNegatives,
    alsoSampled,
  } = report.experiment.evaluation;
  const event = only ? `event whose ${only.column} is ${only.is.join(' or ')}` : 'item';
  const targets =
    positions === 'last'
      ? `the last ${event} of each session of the SPLIT half of a window`
      : `every ${event} but a session's first of the SPLIT half of a window, one at a time`;
  return [
    `Target: ${targets.replace('SPLIT', split)}, with the items before it visible.`,
    sampledNegatives === undefined
      ? scopeOf(candidates)
      : `SAMPLED: each target is ranked among ${sampledNegatives} random items that the session has not seen, not over the catalogue. ` +
        'Such figures flatter and can reverse the order of models; they serve to repeat papers that did so.',
    ...(alsoSampled === undefined
      ? []
      : [
          `Figures "of ${alsoSampled + 1} sampled" are SAMPLED: the same targets among ${alsoSampled} random items that the session has not seen. ` +
            'They flatter and can reverse the order of models; they serve to repeat papers that did so.',
        ]),
    TIES[ties],
    `Unknown targets are misses: ${unknownTargetsNote(report)}.`,
    seenItems === 'keep'
      ? 'Items that the session has seen already are not filtered out.'
      : 'Items that the session has seen are not recommended; a target among them is a miss.',
    ...excludedNote(report),
    ...fewItemsNote(report),
    'A model learns from windows that end before the evaluated one begins; its vocabulary too.',
  ];
}

const SCOPES = {
  known: 'Ranking scope: the whole catalogue known so far, never a sample of it.',
  lastTrained:
    'Ranking scope: the items of the windows that were trained last, never a sample of them; a target outside them is a miss.',
};

/** Says where a list of k is so long that every model fills it with most of what there is. */
export function fewItemsNote({ results, experiment }: RunReport): readonly string[] {
  const ranked = results.flatMap(({ numRankedItems = Number.POSITIVE_INFINITY, evaluateWindow }) => [
    { numRankedItems, evaluateWindow },
  ]);
  const few = ranked.reduce((a, b) => (b.numRankedItems < a.numRankedItems ? b : a), {
    numRankedItems: Number.POSITIVE_INFINITY,
    evaluateWindow: '',
  });
  const tooLong = evaluatedMetrics(experiment.evaluation).filter(({ k }) => 2 * k > few.numRankedItems);
  if (tooLong.length === 0) return [];
  const labels = tooLong.map(({ label }) => label).join(', ');
  return [
    `TOO FEW ITEMS: in window ${few.evaluateWindow} only ${few.numRankedItems} items could be recommended, so ${labels} ${tooLong.length === 1 ? 'says' : 'say'} little: ` +
      'most targets are within the list whatever the model does. Choose a smaller k or longer windows.',
  ];
}

function scopeOf(candidates: EvaluationConfig['candidates']): string {
  if (typeof candidates === 'string') return SCOPES[candidates];
  if ('lastWindows' in candidates) {
    return `Ranking scope: the items clicked within the last ${candidates.lastWindows} train windows; a target outside them is a miss.`;
  }
  const span = candidates.window === undefined ? 'for all windows alike' : `by the window in '${candidates.window}'`;
  return `Ranking scope: the items listed in ${candidates.file}, ${span}; a target outside them is a miss.`;
}

function excludedNote({ summaries, references }: RunReport): readonly string[] {
  const excluded = summaries.filter(
    ({ model, numExcludedTargets }) => !references.includes(model) && numExcludedTargets > 0,
  );
  if (excluded.length === 0) return [];
  const most = Math.max(...excluded.map(({ numExcludedTargets, numTargets }) => numExcludedTargets / numTargets));
  return [
    `Up to ${(100 * most).toFixed(1)} % of the targets could not be recommended because of that; they count as misses.`,
  ];
}
