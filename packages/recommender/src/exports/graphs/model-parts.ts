import type { NeuralModel } from '@nimue/models';
import type { Constant, Graph, Value } from '../graph.ts';
import type { PaddedSessions } from './padded-sessions.ts';

type Activation = 'none' | 'relu' | 'tanh' | 'sigmoid' | 'silu' | 'gelu';

/** What the graph of a model is made of: its weights by their names, and the sessions. */
export interface ModelParts {
  readonly g: Graph;
  readonly sessions: PaddedSessions;
  /** Vectors of the events, scaled, joined with their features and positions [B, L, itemSize], or hiddenSize behind an input layer. */
  embed(scale?: number): Value;
  has(name: string): boolean;
  weight(name: string): Constant;
  /** activation(x · weights + bias) */
  linear(name: string, x: Value, activation?: Activation): Value;
  norm(name: string, x: Value, epsilon: number): Value;
  /** From the width of the item vectors to that of the body. */
  project(x: Value): Value;
  /** The row of the position that predicts: [B, L, D] → [B, D]. */
  atTarget(x: Value): Value;
}

/** The layers of a model by the names of their weights. */
export function addLayers(
  g: Graph,
  model: NeuralModel,
): Pick<ModelParts, 'has' | 'weight' | 'linear' | 'norm' | 'project'> {
  const names = new Set(model.parameters.names);
  const values = model.parameters.read();
  const weight = (name: string): Constant => {
    const array = values.get(name);
    if (!array) throw new Error(`export: ${model.name} has no weights '${name}'; its graph is of another version`);
    return g.constant(name, model.parameters.variable(name).shape, array);
  };
  const linear: ModelParts['linear'] = (name, x, activation = 'none') => {
    const product = g.matMul(x, weight(`${name}.weights`));
    return activate(g, names.has(`${name}.bias`) ? g.add(product, weight(`${name}.bias`)) : product, activation);
  };
  return {
    has: (name) => names.has(name),
    weight,
    linear,
    norm: (name, x, epsilon) => g.layerNorm(x, weight(`${name}.gamma`), weight(`${name}.beta`), epsilon),
    project: (x) => (names.has('itemProjection.weights') ? linear('itemProjection', x) : x),
  };
}

function activate(g: Graph, x: Value, activation: Activation): Value {
  if (activation === 'none') return x;
  return activation === 'silu' ? g.mul(x, g.unary('sigmoid', x)) : g.unary(activation, x);
}
