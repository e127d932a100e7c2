import type { SessionBatch } from '@nimue/batch';
import { deriveSeed, residualAdd } from '@nimue/ops';
import type { Tensor2D } from '@tensorflow/tfjs';
import { createLayers, type Layers } from '../neural/layers.ts';
import type { EncodeMode } from '../next-item-model.ts';
import * as aggregations from './aggregations.ts';
import { contextOfSessions } from './context-of-sessions.ts';
import { explainColumns } from './explain-columns.ts';
import type { InputColumn, InputRows } from './input-column.ts';
import type { InputKind, InputLayer } from './input-kind.ts';
import { type InputConfig, type InputsConfig, inputName } from './inputs-schema.ts';
import * as kinds from './kinds.ts';
import { swapFeatures } from './swap-noise.ts';
import { takeRows } from './take-rows.ts';

/** What a model reads beside the item ids. */
export interface ModelInputs {
  /** Joins the vectors of the batch's items [T, itemSize] with those of their features. */
  combine(items: Tensor2D, batch: SessionBatch, mode: EncodeMode): Tensor2D;
  /** Adds the context that comes after the body to its states at the positions [N, hiddenSize]. */
  addContext(hidden: Tensor2D, batch: SessionBatch, positions: Int32Array): Tensor2D;
  /** Adds what the items' features say to the output layer [V, itemSize]. */
  describeCandidates(itemTable: Tensor2D): Tensor2D;
  /** Whether an input looks at more of a session than the click that is read. */
  readonly needsSession: boolean;
  /** Whether an input has the role `item`. */
  readonly describesItems: boolean;
  /** @throws when a column that describes items is missing */
  setItemFeatures(features: NonNullable<SessionBatch['features']>): void;
  /** Adds rows to them. @throws when a column that describes items is missing */
  addItemFeatures(features: NonNullable<SessionBatch['features']>): void;
  resize(columns: readonly InputColumn[]): void;
}

export interface InputsSize {
  readonly itemSize: number;
  readonly hiddenSize: number;
  readonly initStd: number;
  readonly columns: readonly InputColumn[];
}

/** Keeps the norm of a vector of zeros 0. */
const EPSILON = 1e-6;

/**
 * Adds the weights of the inputs: `inputs.<column>.<kind>…`, `inputs.concat1` ….
 *
 * What a position sees of features follows from the batch: those of clicks that it sees, never of the one it predicts, since
 * objectives take the target's features away, or hide them, with the target.
 *
 * @throws when the batches will lack a column, or have it as another kind
 */
export function addInputs(layers: Layers, config: InputsConfig, size: InputsSize): ModelInputs {
  const { itemSize, hiddenSize, initStd, columns } = size;
  const [problem] = explainColumns(config, columns);
  if (problem) throw new Error(`inputs.${problem.path.join('.')}: ${problem.message}`);
  const own = createLayers(layers.parameters, { epsilon: EPSILON });
  const aggregation = aggregations[config.aggregation];
  const byName = new Map(columns.map((column) => [column.name, column]));

  const made = config.features.map((input) => {
    const role = input.kind === 'timeInterval' ? 'event' : input.role;
    const name = inputName(input);
    const width = aggregation.needsEqualWidths && role !== 'contextAfter' ? itemSize : undefined;
    const layer = kindOf(input).create(input, { layers: own, name, width, columns: byName, initStd });
    if (width !== undefined && layer.size !== width) {
      throw new Error(
        `${name}: its size is ${layer.size}, but aggregation: ${config.aggregation} adds vectors of the item's width ${width}; leave size out`,
      );
    }
    if (config.layerNorm) own.addNorm(`${name}.norm`, layer.size);
    if (role === 'item') own.addLinear(`${name}.candidate`, layer.size, itemSize, { bias: false });
    if (role === 'contextAfter') own.addLinear(`${name}.context`, layer.size, hiddenSize, { bias: false });
    return { name, role, layer, columns: columnsOf(input, columns) };
  });
  const before = made.filter(({ role }) => role !== 'contextAfter');
  const after = made.filter(({ role }) => role === 'contextAfter');
  const ofItems = made.filter(({ role }) => role === 'item');
  const join = aggregation.create(own, [itemSize, ...before.map(({ layer }) => layer.size)]);
  const vectorsOf = ({ name, layer }: { name: string; layer: InputLayer }, rows: InputRows) =>
    config.layerNorm ? own.norm(`${name}.norm`, layer.apply(rows)) : layer.apply(rows);
  let itemFeatures: NonNullable<SessionBatch['features']> = {};
  const assertDescribed = (caller: string, features: NonNullable<SessionBatch['features']>) => {
    const missing = ofItems.flatMap((each) => each.columns).find((column) => !(column in features));
    if (missing) throw new Error(`${caller}: the column '${missing}' is missing`);
  };

  return {
    combine(items, batch, mode) {
      const { offsets, timestampsMs } = batch;
      const rows = { numRows: batch.itemIds.length, offsets, ...(timestampsMs && { timestampsMs }) };
      const seed = mode.training ? deriveSeed(mode.seed, SWAP_DRAW) : 0;
      const events = { ...rows, features: swapFeatures(batch, mode.training ? config.swapNoise : 0, seed) };
      const context = { ...rows, features: contextOfSessions(batch) };
      return join([items, ...before.map((each) => vectorsOf(each, each.role === 'contextBefore' ? context : events))]);
    },
    addContext(hidden, batch, positions) {
      if (after.length === 0) return hidden;
      const features = takeRows(contextOfSessions(batch), positions);
      const rows = { numRows: positions.length, features };
      return after.reduce(
        (sum, each) => residualAdd(own.linear(`${each.name}.context`, vectorsOf(each, rows)), sum),
        hidden,
      );
    },
    describeCandidates(itemTable) {
      const rows = { numRows: itemTable.shape[0], features: itemFeatures };
      return ofItems.reduce((sum, each) => {
        for (const column of each.columns) {
          const length = itemFeatures[column]?.length ?? 0;
          if (length === rows.numRows) continue;
          throw new Error(
            `inputs: the items' feature '${column}' has ${length} values for ${rows.numRows} rows of the item table; call setItemFeatures`,
          );
        }
        return residualAdd(own.linear(`${each.name}.candidate`, vectorsOf(each, rows)), sum);
      }, itemTable);
    },
    needsSession: config.features.some((input) => input.kind === 'timeInterval' || input.role.startsWith('context')),
    describesItems: ofItems.length > 0,
    setItemFeatures(features) {
      assertDescribed('setItemFeatures', features);
      itemFeatures = features;
    },
    addItemFeatures(features) {
      assertDescribed('addItemFeatures', features);
      const read = [...new Set(ofItems.flatMap((each) => each.columns))];
      itemFeatures = Object.fromEntries(read.map((column) => [column, joined(itemFeatures[column], features[column])]));
    },
    resize(now) {
      const columnsNow = new Map(now.map((column) => [column.name, column]));
      for (const { layer } of made) layer.resize?.(columnsNow);
    },
  };
}

/** Tells the seed of swapping from those of dropouts, which count from 0. */
const SWAP_DRAW = 0x5a9;

function kindOf(input: InputConfig): InputKind {
  return kinds[input.kind] as unknown as InputKind;
}

/** Names of the columns that an input reads. */
function columnsOf(input: InputConfig, columns: readonly InputColumn[]): readonly string[] {
  if (input.kind === 'timeInterval') return [];
  const names = columns.map(({ name }) => name);
  return kindOf(input).columnNames?.(input, names) ?? [input.column];
}

function joined<Column extends Int32Array | Float32Array>(before: Column, added: Column): Column {
  const all = new (before.constructor as new (length: number) => Column)(before.length + added.length);
  all.set(before);
  all.set(added, before.length);
  return all;
}
