import { FIRST_ITEM_ID } from '@nimue/batch';
import type { EncodedSessions, Sessions } from '@nimue/data';
import type { ItemDistance, ListMetricAtK, MetricAtK, RankMetricAtK, RecommendedLists } from '@nimue/metrics';
import { MAX_COLUMN_PARTS, OTHER_PART } from './column-slices.ts';
import type { Answer, Evaluation, SliceResult } from './evaluate.ts';
import { textCodes } from './seen-values.ts';
import type { Slice, SliceContext, TargetFacts } from './slice.ts';
import { drawPlaces, metricValues, type TieRule } from './tie-rules.ts';

export interface EvaluationRecordArgs {
  readonly metrics: readonly MetricAtK[];
  readonly slices: readonly (Slice & { readonly name: string })[];
  readonly context: SliceContext;
  /** Items that can be recommended. */
  readonly numItems: number;
  readonly distance?: ItemDistance;
  /** Places of the lists that are kept. */
  readonly overlap?: number;
}

/** Gathers a model's answers, batch by batch, and makes the numbers of an evaluation of them. */
export class EvaluationRecord {
  readonly #args: EvaluationRecordArgs;
  readonly #rankMetrics: readonly RankMetricAtK[];
  readonly #listMetrics: readonly ListMetricAtK[];
  readonly #partOf: readonly ((facts: TargetFacts) => string)[];
  readonly #answers: Answer[] = [];
  readonly #targetIds: Int32Array[] = [];
  readonly #histories: Int32Array[] = [];
  readonly #historyLengths: number[] = [];
  readonly #sliced: string[][];
  numTargets = 0;

  constructor(args: EvaluationRecordArgs) {
    this.#args = args;
    this.#rankMetrics = args.metrics.filter((metric) => metric.of === 'ranks');
    this.#listMetrics = args.metrics.filter((metric) => metric.of === 'lists');
    const tooLong = this.#listMetrics.find(({ k }) => k > args.numItems);
    if (tooLong) {
      throw new Error(
        `evaluation.metrics: ${tooLong.label} looks at lists of ${tooLong.k} items, but only ${args.numItems} can be recommended; choose a smaller k`,
      );
    }
    if (args.overlap !== undefined && args.overlap > args.numItems) {
      throw new Error(
        `evaluation.overlap: lists of ${args.overlap} items are asked for, but only ${args.numItems} can be recommended; choose a smaller number`,
      );
    }
    this.#partOf = args.slices.map((slice) => slice.prepare(args.context));
    this.#sliced = args.slices.map(() => []);
  }

  /** Places of the lists that the metrics ask for; 0 when none looks at lists. */
  get listLength(): number {
    return Math.max(this.#args.overlap ?? 0, ...this.#listMetrics.map(({ k }) => k));
  }

  /**
   * @param asked the raw sessions of this block, target included
   * @param visible the same sessions as the model knows them, target hidden
   * @param first number of the batch's first session within the block
   */
  add(answer: Answer, asked: Sessions, visible: EncodedSessions, first: number, targetIds: Int32Array): void {
    this.#answers.push(answer);
    this.#targetIds.push(targetIds);
    this.numTargets += targetIds.length;
    if (this.listLength === 0 && this.#partOf.length === 0) return;
    targetIds.forEach((targetId, n) => {
      const history = visible.itemIds.subarray(visible.offsets[first + n], visible.offsets[first + n + 1]);
      const known = history.filter((id) => id >= FIRST_ITEM_ID);
      if (this.listLength > 0) {
        this.#histories.push(known);
        this.#historyLengths.push(known.length);
      }
      const end = asked.offsets[first + n + 1];
      const facts = {
        targetId,
        timeMs: asked.timestampsMs[end - 1],
        numVisible: end - asked.offsets[first + n] - 1,
        numKnownVisible: known.length,
        codeOf: (column: string) => textCodes(asked, column)[end - 1],
      };
      this.#partOf.forEach((partOf, i) => {
        this.#sliced[i].push(partOf(facts));
      });
    });
  }

  finish(ties: TieRule, seed: number): Evaluation {
    const last = join(this.#answers.map((answer) => answer.last));
    const firstParts = this.#answers.flatMap(({ first }) => (first ? [first] : []));
    const first = firstParts.length > 0 ? join(firstParts) : undefined;
    const places = ties === 'random' ? { last: drawPlaces({ last, first }, seed) } : { last, first };
    const values = Object.fromEntries(this.#rankMetrics.map((metric) => [metric.label, metricValues(metric, places)]));
    const targetIds = join(this.#targetIds);
    const ofLists = this.#listValues(targetIds);
    const metrics = Object.fromEntries(
      this.#args.metrics.map(({ label }) => [label, values[label] ? mean(values[label]) : ofLists[label]]),
    );
    const sum = (columns: readonly Uint8Array[]) =>
      columns.reduce((all, column) => all + column.reduce((count, one) => count + one, 0), 0);
    return {
      metrics,
      ranks: places.last,
      values,
      numUnknownTargets: targetIds.filter((id) => id < FIRST_ITEM_ID).length,
      numExcludedTargets: sum(this.#answers.map(({ excludedTargets }) => excludedTargets)),
      slices: this.#sliceResults(values),
      numRankedItems: this.#args.numItems,
      ...(this.#args.overlap !== undefined && { lists: this.#firstPlaces(this.#args.overlap) }),
    };
  }

  #lists(): RecommendedLists {
    return { itemIds: join(this.#answers.map(({ listed }) => listed ?? new Int32Array())), length: this.listLength };
  }

  #firstPlaces(length: number): RecommendedLists {
    const lists = this.#lists();
    const itemIds = new Int32Array(length * this.numTargets);
    for (let n = 0; n < this.numTargets; n++) {
      itemIds.set(lists.itemIds.subarray(n * lists.length, n * lists.length + length), n * length);
    }
    return { itemIds, length };
  }

  #listValues(targetIds: Int32Array): Record<string, number> {
    if (this.listLength === 0) return {};
    const lists = this.#lists();
    const offsets = new Int32Array(this.#historyLengths.length + 1);
    this.#historyLengths.forEach((length, n) => {
      offsets[n + 1] = offsets[n] + length;
    });
    const { numItems, distance } = this.#args;
    const { statistics } = this.#args.context;
    const histories = { itemIds: join(this.#histories), offsets };
    const context = { numItems, clicks: statistics.clicks, targetIds, histories, distance };
    return Object.fromEntries(this.#listMetrics.map(({ label, compute }) => [label, compute(lists, context)]));
  }

  #sliceResults(values: Evaluation['values']): SliceResult[] {
    return this.#args.slices.flatMap(({ name, parts }, i) => {
      const members = grouped(this.#sliced[i]);
      const shown = parts?.filter((part) => members.has(part)) ?? mergeSmallParts(members);
      return shown.map((part) => {
        const targets = members.get(part) ?? [];
        const metrics = Object.fromEntries(
          Object.entries(values).map(([label, all]) => [label, mean(targets.map((n) => all[n]))]),
        );
        return { slice: name, part, numTargets: targets.length, metrics };
      });
    });
  }
}

/** Part → the numbers of its targets. */
function grouped(partOf: readonly string[]): Map<string, number[]> {
  const members = new Map<string, number[]>();
  partOf.forEach((part, n) => {
    const own = members.get(part);
    if (own) own.push(n);
    else members.set(part, [n]);
  });
  return members;
}

/** Puts all but the largest parts together; returns the parts, largest first. */
function mergeSmallParts(members: Map<string, number[]>): string[] {
  const names = [...members.keys()].sort((a, b) => (members.get(b)?.length ?? 0) - (members.get(a)?.length ?? 0));
  const small = names.slice(MAX_COLUMN_PARTS);
  if (small.length === 0) return names;
  const shown = names.slice(0, MAX_COLUMN_PARTS).filter((name) => name !== OTHER_PART);
  const others = [OTHER_PART, ...small].flatMap((name) => members.get(name) ?? []);
  members.set(OTHER_PART, [...new Set(others)]);
  return [...shown, OTHER_PART];
}

function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let n = 0; n < values.length; n++) sum += values[n];
  return sum / values.length;
}

function join(parts: readonly Int32Array[]): Int32Array {
  const joined = new Int32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
