import { keyOfColumn, labelColumn, type RawColumn, type Sessions, type WindowedDataset } from '@nimue/data';
import type { TaskHead } from '@nimue/losses';

type Texts = WindowedDataset['texts'];

/** The columns of the log that heads are taught: what has to be carried along when it is prepared. */
export function columnsOfHeads(heads: readonly TaskHead[]): RawColumn[] {
  return heads.map(rawColumnOf);
}

/** What a head's numbers mean: value = mean + deviation · output, after ln(1 + x) for a head with `log`. */
interface Scale {
  readonly mean: number;
  readonly deviation: number;
}

const UNSCALED: Scale = { mean: 0, deviation: 1 };

/**
 * The labels of a model's heads. What a regression is standardised by is fitted on the train windows that the model meets
 * first, and kept: another unit in every window would make the head learn its bias anew.
 */
export class TargetLabels {
  readonly #heads: readonly TaskHead[];
  readonly #moments = new Map<string, { count: number; mean: number; squares: number }>();
  #isFitted = false;

  constructor(heads: readonly TaskHead[]) {
    this.#heads = heads;
  }

  get heads(): readonly TaskHead[] {
    return this.#heads;
  }

  /** Learns from a train window, until `finishStep`. */
  fit(sessions: Sessions, texts: Texts): void {
    if (this.#isFitted) return;
    for (const head of this.#heads) {
      if (head.kind !== 'regression') continue;
      const moments = this.#moments.get(head.name) ?? { count: 0, mean: 0, squares: 0 };
      for (const label of this.labelsOf(head, sessions, texts)) {
        if (Number.isNaN(label)) continue;
        moments.count++;
        const difference = label - moments.mean;
        moments.mean += difference / moments.count;
        moments.squares += difference * (label - moments.mean);
      }
      this.#moments.set(head.name, moments);
    }
  }

  /** The train windows of a step have all been seen; one without any event teaches nothing. */
  finishStep(): void {
    this.#isFitted = [...this.#moments.values()].every(({ count }) => count > 0);
  }

  /** Label columns [T] of encoded sessions, as the losses take them: 0 and 1, or standardised numbers; NaN: no label. */
  columnsOf(sessions: Sessions, texts: Texts): Record<string, Float32Array> {
    return Object.fromEntries(
      this.#heads.map((head) => {
        const { mean, deviation } = this.#scaleOf(head);
        const labels = Float32Array.from(this.labelsOf(head, sessions, texts), (label) => (label - mean) / deviation);
        return [labelColumn(head.name), labels];
      }),
    );
  }

  /** What an output of a head stands for: a probability, or a number in the unit of `labelsOf`. */
  meaningOf(head: TaskHead, output: number): number {
    if (head.kind === 'binary') return 1 / (1 + Math.exp(-output));
    const { mean, deviation } = this.#scaleOf(head);
    return mean + deviation * output;
  }

  /**
   * Labels of all events [T]: 0 and 1, or the column's numbers (their ln(1 + x) for a head with `log`); NaN: no label.
   *
   * @throws when a value is none that the head can learn, or the log never has one that it asks for
   */
  labelsOf(head: TaskHead, sessions: Sessions, texts: Texts): Float64Array {
    const column = rawColumnOf(head);
    const cells = sessions.columns?.[keyOfColumn(column)];
    if (!cells) {
      throw new Error(
        `head '${head.name}': the sessions do not carry the column '${head.column}' as ${column.kind}; prepare them with columnsOfHeads`,
      );
    }
    if (head.is) return matches(head, head.is, cells, texts[head.column] ?? []);
    return cells.map((value, event) => {
      if (Number.isNaN(value)) return value;
      if (head.kind === 'regression' && !head.log) return value;
      const isFine = head.kind === 'binary' ? value === 0 || value === 1 : value >= 0;
      if (isFine) return head.log ? Math.log1p(value) : value;
      const expected =
        head.kind === 'binary' ? "0 or 1, or the values that mean yes as 'is'" : 'numbers ≥ 0 for log: true';
      throw new Error(
        `head '${head.name}': column '${head.column}' is ${value} in event ${event}, expected ${expected}`,
      );
    });
  }

  #scaleOf({ name, kind }: TaskHead): Scale {
    const moments = this.#moments.get(name);
    if (kind === 'binary' || !moments || moments.count === 0) return UNSCALED;
    return { mean: moments.mean, deviation: Math.sqrt(moments.squares / moments.count) || 1 };
  }
}

function rawColumnOf({ column, kind, is }: TaskHead): RawColumn {
  return { name: column, kind: kind === 'binary' && is ? 'text' : 'number' };
}

function matches(
  { name, column }: TaskHead,
  is: readonly string[],
  codes: Float64Array,
  texts: readonly string[],
): Float64Array {
  const absent = is.find((value) => !texts.includes(value));
  if (absent !== undefined) {
    const there = texts.slice(0, 8).map((value) => `'${value}'`);
    throw new Error(
      `head '${name}': column '${column}' never has the value '${absent}'; it has ${there.join(', ') || 'none'}${texts.length > 8 ? ' …' : ''}`,
    );
  }
  const wanted = new Set(is.map((value) => texts.indexOf(value)));
  return codes.map((code) => (Number.isNaN(code) ? code : Number(wanted.has(code))));
}
