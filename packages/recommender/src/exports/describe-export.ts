import { FIRST_ITEM_ID, PAD_ID, UNKNOWN_ID } from '@nimue/batch';
import type { OpenedModel } from '../open-model.ts';
import type { ModelGraphs } from './build-graph.ts';
import type { ExportOptions } from './export-format.ts';

/** `items.json`: raw ids in the order of the scores, and titles where they are known. */
export function itemsFile({ itemIds, titles }: OpenedModel): string {
  return JSON.stringify({ ids: itemIds, ...(titles && { titles }) });
}

/** `export.json`: what the model is, what goes in and what comes out. */
export function describeExport(
  format: string,
  { manifest }: OpenedModel,
  { graph, maxLength, columns }: ModelGraphs,
  { int8Items = false, int8Loss }: ExportOptions,
): Record<string, unknown> {
  const places = (of: typeof graph.inputs) =>
    Object.fromEntries(
      of.map(({ name, dtype, shape }) => [name, { type: dtype === 'int' ? 'int' : 'float32', shape }]),
    );
  return {
    format,
    label: manifest.label,
    model: manifest.model.name,
    trainWindows: manifest.trainWindows,
    numItems: manifest.numRows - FIRST_ITEM_ID,
    /** Show the newest ones of a longer session; null when there is no limit. */
    maxLength: maxLength ?? null,
    /** Item ids: padding 0, unknown 1, the item at place i of items.json i + firstItemId. */
    ids: { padding: PAD_ID, unknown: UNKNOWN_ID, firstItemId: FIRST_ITEM_ID },
    inputs: places(graph.inputs),
    outputs: places(graph.outputs),
    columns,
    int8Items: int8Items ? (int8Loss ?? true) : false,
  };
}
