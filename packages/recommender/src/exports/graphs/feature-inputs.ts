import type { Value } from '../graph.ts';
import type { ModelParts } from './model-parts.ts';
import { timeBuckets } from './padded-sessions.ts';

/** `inputs` of a model's options, as `inputsSchema` of the models gives them. */
export interface InputsConfig {
  readonly features: readonly InputConfig[];
  readonly aggregation: 'concat' | 'sum' | 'stack' | 'sumTimesItem';
  readonly layerNorm: boolean;
}

type InputConfig =
  | { readonly kind: 'timeInterval'; readonly numBuckets: number }
  | {
      readonly kind: 'category' | 'projection' | 'scalar' | 'softOneHot' | 'vector';
      readonly column: string;
      readonly role: 'event' | 'item' | 'contextBefore' | 'contextAfter';
      readonly table?: string;
    };

type Parts = Omit<ModelParts, 'embed' | 'atTarget'>;

/** ε of the norms of features. */
const EPSILON = 1e-6;

/** Names of the columns that a model reads, of those there are. */
export function columnsOfInputs(config: InputsConfig, all: readonly string[]): string[] {
  const names = config.features.flatMap((input) => {
    if (input.kind === 'timeInterval') return [];
    return input.kind === 'vector' ? vectorColumns(input.column, all) : [input.column];
  });
  return [...new Set(names)];
}

/** Joins the vectors of items [B, L, D] with those of their features. */
export function combineInputs(parts: Parts, config: InputsConfig, items: Value): Value {
  const { g, linear, weight } = parts;
  const before = config.features.filter((input) => input.kind === 'timeInterval' || input.role !== 'contextAfter');
  const vectors = [items, ...before.map((input) => vectorsOf(parts, config, input))];
  const total = (values: readonly Value[]) => values.reduce((joined, x) => g.add(joined, x));
  switch (config.aggregation) {
    case 'concat':
      return total(vectors.map((x, f) => linear(`inputs.concat${f + 1}`, x)));
    case 'sum':
      return total(vectors);
    case 'sumTimesItem':
      return vectors.length === 1 ? items : g.mul(total(vectors.slice(1)), items);
    case 'stack': {
      // Contexts are one row per session; adding 0 · item makes every input as long.
      const [scoreOfItem, ...others] = vectors.map((x) => g.matMul(x, weight('inputs.attention.weights')));
      const scores = [scoreOfItem, ...others.map((score) => g.add(score, g.mul(scoreOfItem, 0)))];
      const joined = g.concat(scores, 2);
      const weights = g.softmax(g.add(joined, g.expand(weight('inputs.attention.bias'), 0)));
      const part = (f: number) => g.slice(weights, { axis: 2, rank: 3, from: f, to: f + 1 });
      return total(vectors.map((x, f) => g.mul(x, part(f))));
    }
  }
}

/** Adds the context that comes after the body to states [B, D]. */
export function addContextAfter(parts: Parts, config: InputsConfig, hidden: Value): Value {
  const { g, linear } = parts;
  const after = config.features.filter((input) => input.kind !== 'timeInterval' && input.role === 'contextAfter');
  return after.reduce((sum, input) => {
    const context = linear(`${nameOf(input)}.context`, vectorsOf(parts, config, input));
    return g.add(sum, g.squeeze(context, 1));
  }, hidden);
}

/** [B, L, size], or [B, 1, size] of a context. */
function vectorsOf(parts: Parts, config: InputsConfig, input: InputConfig): Value {
  const name = nameOf(input);
  const vectors = plainVectorsOf(parts, name, input);
  return config.layerNorm ? parts.norm(`${name}.norm`, vectors, EPSILON) : vectors;
}

function plainVectorsOf(parts: Parts, name: string, input: InputConfig): Value {
  const { g, sessions, linear, weight } = parts;
  if (input.kind === 'timeInterval') {
    const before = sessions.times.map((time) => {
      const first = g.slice(time, { axis: 1, rank: 2, from: 0, to: 1 });
      return g.slice(g.concat([first, time], 1), { axis: 1, rank: 2, from: 0, to: -1 });
    });
    const later = g.add(timeBuckets(g, sessions.times, before, input.numBuckets - 1, true), 1);
    const isLater = g.cast(g.compare('less', g.number(0, sessions.positions), sessions.positions), 'int');
    return g.gather(weight(`${name}.table`), g.mul(later, isLater));
  }
  const isContext = input.role === 'contextBefore' || input.role === 'contextAfter';
  const column = (of: string): Value => {
    const values = sessions.features.get(of);
    if (!values) throw new Error(`export: the graph has no column '${of}'`);
    // A context is that of the session's first event.
    return isContext ? g.slice(values, { axis: 1, rank: 2, from: 0, to: 1 }) : values;
  };
  const number = (of: string) => g.expand(column(of), 2);
  switch (input.kind) {
    case 'category':
      return g.gather(
        weight(input.table === undefined ? `${name}.table` : `inputs.table.${input.table}`),
        column(input.column),
      );
    case 'scalar':
      return number(input.column);
    case 'projection':
      return linear(name, number(input.column));
    case 'softOneHot':
      return g.matMul(g.softmax(linear(`${name}.choice`, number(input.column))), weight(`${name}.table`));
    case 'vector': {
      const names = vectorColumns(input.column, [...sessions.features.keys()]);
      return linear(name, g.concat(names.map(number), 2));
    }
  }
}

function nameOf(input: InputConfig): string {
  if (input.kind === 'timeInterval') return 'inputs.timeInterval';
  return `inputs.${input.column}.${input.kind}${input.role === 'contextAfter' ? '.after' : ''}`;
}

function vectorColumns(column: string, all: readonly string[]): string[] {
  const names: string[] = [];
  for (let d = 0; all.includes(`${column}_${d}`); d++) names.push(`${column}_${d}`);
  return names;
}
