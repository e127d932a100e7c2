import { type Summary, summarize } from '@nimue/metrics';
import { OTHER_PART } from './evaluation/column-slices.ts';
import type { SliceResult } from './evaluation/evaluate.ts';
import type { HeadResult } from './evaluation/head-record.ts';
import { partsOfSlice } from './evaluation/slice-config.ts';
import type { WindowResult } from './trainer-events.ts';

/** One row of the final table. */
export interface ModelSummary {
  readonly model: string;
  /** Metric label → mean and standard error over windows, each window averaged over its seeds first. */
  readonly metrics: Readonly<Record<string, Summary>>;
  /** Metric label → mean and standard error over seeds, each seed averaged over its windows first. */
  readonly overSeeds: Readonly<Record<string, Summary>>;
  readonly numWindows: number;
  readonly numSeeds: number;
  /** Sums over windows and seeds. */
  readonly numTargets: number;
  readonly numUnknownTargets: number;
  readonly numExcludedTargets: number;
  /** Parts of the targets in the order of their tables; metrics are means over all targets of a part. */
  readonly slices: readonly SliceResult[];
  /** The model's other heads: means over the windows in which a figure is defined, each averaged over its seeds first. */
  readonly heads: readonly HeadSummary[];
  readonly trainSeconds: number;
  readonly evaluateSeconds: number;
}

export interface HeadSummary {
  readonly head: string;
  readonly kind: HeadResult['kind'];
  /** Sum over windows and seeds. */
  readonly numLabels: number;
  readonly metrics: Readonly<Record<string, Summary>>;
}

/** Values of a column's slice that a table shows one by one. */
const MAX_SUMMARY_PARTS = 20;

/** Rows in order of first appearance. @throws when a model's seeds were evaluated on different windows */
export function summarizeResults(results: readonly WindowResult[]): ModelSummary[] {
  const models = [...new Set(results.map((result) => result.model))];
  return models.map((model) => {
    const own = results.filter((result) => result.model === model);
    const windows = [...new Set(own.map((result) => result.evaluateWindow))];
    const seeds = [...new Set(own.map((result) => result.seed))];
    if (own.length !== windows.length * seeds.length) {
      throw new Error(
        `summarizeResults: ${model} has ${own.length} results for ${windows.length} windows and ${seeds.length} seeds; the run is incomplete`,
      );
    }
    const labels = Object.keys(own[0].metrics);
    const summaryOver = (parts: readonly (readonly WindowResult[])[]) =>
      Object.fromEntries(
        labels.map((label) => {
          const means = parts.map((part) => part.reduce((sum, { metrics }) => sum + metrics[label], 0) / part.length);
          return [label, summarize(means)];
        }),
      );
    const metrics = summaryOver(windows.map((window) => own.filter((result) => result.evaluateWindow === window)));
    const overSeeds = summaryOver(seeds.map((seed) => own.filter((result) => result.seed === seed)));
    const total = (pick: (result: WindowResult) => number) => own.reduce((sum, result) => sum + pick(result), 0);
    return {
      model,
      metrics,
      overSeeds,
      numWindows: windows.length,
      numSeeds: seeds.length,
      numTargets: total((result) => result.numTargets),
      numUnknownTargets: total((result) => result.numUnknownTargets),
      numExcludedTargets: total((result) => result.numExcludedTargets),
      slices: sumSlices(own),
      heads: summarizeHeads(own, windows),
      trainSeconds: total((result) => result.trainSeconds),
      evaluateSeconds: total((result) => result.evaluateSeconds),
    };
  });
}

function summarizeHeads(results: readonly WindowResult[], windows: readonly string[]): HeadSummary[] {
  const found = results.flatMap(({ evaluateWindow, heads = [] }) => heads.map((head) => ({ ...head, evaluateWindow })));
  const names = [...new Set(found.map(({ head }) => head))];
  return names.map((name) => {
    const own = found.filter(({ head }) => head === name);
    const labels = [...new Set(own.flatMap(({ metrics }) => Object.keys(metrics)))];
    const metrics = labels.map((label) => {
      const perWindow = windows.flatMap((window) => {
        const values = own
          .filter(({ evaluateWindow, metrics }) => evaluateWindow === window && label in metrics)
          .map((row) => row.metrics[label]);
        return values.length === 0 ? [] : [values.reduce((sum, value) => sum + value, 0) / values.length];
      });
      return [label, summarize(perWindow)] as const;
    });
    const numLabels = own.reduce((sum, row) => sum + row.numLabels, 0);
    return { head: name, kind: own[0].kind, numLabels, metrics: Object.fromEntries(metrics) };
  });
}

/** Windows and seeds together: every target counts once per seed. */
function sumSlices(results: readonly WindowResult[]): SliceResult[] {
  const found = results.flatMap((result) => result.slices ?? []);
  const names = [...new Set(found.map(({ slice }) => slice))];
  return names.flatMap((name) => {
    const rows = found.filter(({ slice }) => slice === name);
    const parts = [...new Set(rows.map(({ part }) => part))];
    const ofPart = (members: readonly string[], part: string) =>
      sumRows(
        rows.filter((row) => members.includes(row.part)),
        part,
      );
    const fixed = partsOfSlice(name);
    if (fixed) return fixed.filter((part) => parts.includes(part)).map((part) => ofPart([part], part));
    const size = (part: string) => rows.reduce((sum, row) => sum + (row.part === part ? row.numTargets : 0), 0);
    const named = parts.filter((part) => part !== OTHER_PART).sort((a, b) => size(b) - size(a));
    const others = [...parts.filter((part) => part === OTHER_PART), ...named.slice(MAX_SUMMARY_PARTS)];
    const shown = named.slice(0, MAX_SUMMARY_PARTS).map((part) => ofPart([part], part));
    return others.length === 0 ? shown : [...shown, ofPart(others, OTHER_PART)];
  });
}

/** The rows of one part of one slice in one. */
function sumRows(rows: readonly SliceResult[], part: string): SliceResult {
  const numTargets = rows.reduce((sum, row) => sum + row.numTargets, 0);
  const metrics = Object.fromEntries(
    Object.keys(rows[0].metrics).map((label) => [
      label,
      rows.reduce((sum, row) => sum + row.metrics[label] * row.numTargets, 0) / numTargets,
    ]),
  );
  return { slice: rows[0].slice, part, numTargets, metrics };
}
