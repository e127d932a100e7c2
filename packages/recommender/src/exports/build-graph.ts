import { FIRST_ITEM_ID } from '@nimue/batch';
import { type ModelSpec, models, type NeuralModel } from '@nimue/models';
import { visibleLength } from '@nimue/trainer';
import * as tf from '@tensorflow/tfjs';
import type { OpenedModel } from '../open-model.ts';
import { RequestError } from '../request.ts';
import { Graph, type Value } from './graph.ts';
import { addContextAfter, columnsOfInputs, combineInputs, type InputsConfig } from './graphs/feature-inputs.ts';
import type { ModelGraph } from './graphs/model-graph.ts';
import { addLayers, type ModelParts } from './graphs/model-parts.ts';
import { addPaddedSessions, type TimeParts } from './graphs/padded-sessions.ts';
import * as graphs from './graphs.ts';
import { quantizeRows } from './quantize-rows.ts';

export interface GraphOptions {
  /** Sessions per request; any number when not given. */
  readonly batchSize?: number;
  /** Columns of `item_ids`; any number up to `maxLength` when not given. */
  readonly length?: number;
  /** Gives the k best items and their scores instead of the scores of all. */
  readonly topK?: number;
  /** Item vectors as whole numbers of one byte, with a scale per item. */
  readonly int8Items?: boolean;
}

/** A model as a graph, and what one has to know to ask it. */
export interface ModelGraphs {
  readonly graph: Graph;
  /** The newest events of a session that may be given; undefined when there is no limit. */
  readonly maxLength?: number;
  readonly numItems: number;
  /** Columns of features that it asks for. */
  readonly columns: OpenedModel['manifest']['columns'];
  readonly readsTimes: boolean;
}

interface CommonConfig {
  readonly head?: 'dot' | 'linear' | 'mlp' | 'gelu';
  readonly inputNorm?: boolean;
  readonly inputLayer?: 'linear' | 'mlp';
  readonly inputs?: InputsConfig;
  readonly relativeTime?: boolean;
  readonly positionsFrom?: 'oldest' | 'newest';
}

/** ε of the norm of item vectors on the way in. */
const INPUT_NORM_EPSILON = 1e-5;

/**
 * The graph of a trained model: sessions padded at the end with id 0 go in, the scores of all items at the position after
 * the newest event come out, in the order of `items.json`. Reserved ids have no score.
 *
 * @throws RequestError when the model counts, or an option is out of range
 */
export function buildGraph(opened: OpenedModel, timeParts: TimeParts, options: GraphOptions = {}): ModelGraphs {
  const { manifest, model, objective } = opened;
  if (model.kind !== 'neural') {
    throw new RequestError(
      `${manifest.label}: '${model.name}' counts and has no weights; only models with weights can be exported`,
    );
  }
  const bodyOf = (graphs as unknown as Record<string, ModelGraph>)[manifest.model.name];
  if (!bodyOf) throw new RequestError(`${manifest.label}: there is no graph for the model '${manifest.model.name}'`);
  const { batchSize: batch = 'batch', length = 'length', topK, int8Items = false } = options;
  const limit = visibleLength(model, manifest.maxLength);
  const maxLength = limit === undefined ? undefined : limit - objective.numAppended;
  const numItems = manifest.numRows - FIRST_ITEM_ID;
  assertWithin('batchSize', options.batchSize, Number.POSITIVE_INFINITY);
  assertWithin('length', options.length, maxLength ?? Number.POSITIVE_INFINITY);
  assertWithin('topK', topK, numItems);

  const config = specOf(manifest.model.name).configSchema.parse(manifest.model.config) as CommonConfig;
  const { inputs, inputNorm, inputLayer, head = 'dot', relativeTime = false, positionsFrom } = config;
  const activation = { dot: 'none', linear: 'none', mlp: 'tanh', gelu: 'gelu' } as const;
  const names = inputs
    ? columnsOfInputs(
        inputs,
        manifest.columns.map(({ name }) => name),
      )
    : [];
  const columns = manifest.columns.filter(({ name }) => names.includes(name));
  const readsTimes = relativeTime || (inputs?.features.some(({ kind }) => kind === 'timeInterval') ?? false);
  const g = new Graph();
  const sessions = addPaddedSessions(g, {
    batch,
    length,
    columns,
    readsTimes,
    timeParts,
    appendsHidden: objective.numAppended > 0,
  });
  const layers = addLayers(g, model);
  const table = addItemTables(g, model, int8Items);
  const isTarget = g.expand(g.cast(sessions.isTarget, 'float'), 2);
  const parts: ModelParts = {
    g,
    sessions,
    ...layers,
    embed(scale = 1) {
      const rows = table.rows(sessions.itemIds);
      const items = scale === 1 ? rows : g.mul(rows, scale);
      const normed = inputNorm ? layers.norm('inputNorm', items, INPUT_NORM_EPSILON) : items;
      const joined = inputs ? combineInputs({ g, sessions, ...layers }, inputs, normed) : normed;
      const x = inputLayer ? layers.linear('inputLayer', joined, activation[inputLayer]) : joined;
      if (!layers.has('positions')) return x;
      const places = positionsFrom === 'newest' ? sessions.positionsFromNewest() : sessions.positions;
      return g.add(x, g.gather(layers.weight('positions'), places));
    },
    atTarget: (x) => g.sum(g.mul(x, isTarget), 1),
  };
  const body = bodyOf(parts, config as never);
  const state = inputs ? addContextAfter({ g, sessions, ...layers }, inputs, body) : body;
  const hidden = head === 'dot' ? state : layers.linear('head', state, activation[head]);
  const scores = g.slice(table.scores(hidden), { axis: 1, rank: 2, from: FIRST_ITEM_ID });
  if (topK === undefined) {
    g.output('scores', scores, [batch, numItems]);
  } else {
    const { values, indices } = g.topK(scores, topK);
    g.output('top_items', indices, [batch, topK]);
    g.output('top_scores', values, [batch, topK]);
  }
  return { graph: g, ...(maxLength !== undefined && { maxLength }), numItems, columns, readsTimes };
}

/** Item vectors on the way in, and scores from those on the way out. */
function addItemTables(g: Graph, model: NeuralModel, int8Items: boolean) {
  const shape = model.parameters.variable('items').shape as [number, number];
  const [numRows, width] = shape;
  const [given, output] = tf.tidy(() => [
    model.parameters.variable('items').dataSync() as Float32Array,
    model.itemTable().dataSync() as Float32Array,
  ]);
  const isTied = given.length === output.length && given.every((value, i) => value === output[i]);
  const add = (name: string, values: Float32Array) => {
    if (!int8Items) return { table: g.constant(name, shape, values.slice()) };
    const quantized = quantizeRows(values, width);
    return {
      table: g.constant(`${name}.int8`, shape, quantized.values),
      scales: g.constant(`${name}.scales`, [numRows], quantized.scales),
    };
  };
  const itemsIn = add('items', given);
  const itemsOut = isTied ? itemsIn : add('outputItems', output);
  const bias = model.itemBias();
  const itemBias = bias && g.constant('itemBias', [numRows], (bias.dataSync() as Float32Array).slice());
  return {
    rows(itemIds: Value): Value {
      const rows = g.cast(g.gather(itemsIn.table, itemIds), 'float');
      return itemsIn.scales ? g.mul(rows, g.expand(g.gather(itemsIn.scales, itemIds), 2)) : rows;
    },
    scores(hidden: Value): Value {
      const products = g.matMul(hidden, g.cast(itemsOut.table, 'float'), { transposeB: true, isFlat: true });
      const scaled = itemsOut.scales ? g.mul(products, itemsOut.scales) : products;
      return itemBias ? g.add(scaled, itemBias) : scaled;
    },
  };
}

function specOf(name: string): ModelSpec {
  return (models as unknown as Record<string, ModelSpec>)[name];
}

function assertWithin(name: string, value: number | undefined, largest: number): void {
  if (value === undefined || (Number.isInteger(value) && value >= 1 && value <= largest)) return;
  const range = Number.isFinite(largest) ? `1 … ${largest}` : 'at least 1';
  throw new RequestError(`${name} is ${value}; expected a whole number, ${range}`);
}
