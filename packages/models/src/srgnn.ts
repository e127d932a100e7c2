import { gatherRows, scatterRows } from '@nimue/ops';
import type { Tensor2D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import { defineModel, type ModelSize } from './model-spec.ts';
import { checkWidths, itemOptions, layerOptions } from './neural/item-options.ts';
import { addItemVectors } from './neural/item-vectors.ts';
import { createLayers, dropoutsOf } from './neural/layers.ts';
import { createNeuralModel } from './neural/neural-model.ts';
import { prefixesOf, scaleRows, weightedSums } from './neural/prefixes.ts';
import { type SessionGraphs, sessionGraphsOf } from './neural/session-graph.ts';
import type { NeuralModel } from './next-item-model.ts';
import { ParameterStore } from './parameter-store.ts';

export const srgnnSchema = checkWidths(
  z.strictObject({
    hiddenSize: z.int().min(1).default(64).describe('Width of item vectors and hidden states.'),
    numSteps: z.int().min(1).max(8).default(1).describe('Rounds in which every item hears from its neighbors.'),
    inputDropout: z.number().min(0).lt(1).default(0).describe('Drops item vectors on their way in.'),
    maxLength: z
      .int()
      .min(1)
      .optional()
      .describe(
        'The newest events of a session that the model sees; unlimited when not given. Work grows with its square.',
      ),
    ...layerOptions,
    ...itemOptions,
  }),
);

const GATES = ['reset', 'update', 'candidate'] as const;

/**
 * SR-GNN (Wu et al. 2019, "Session-based Recommendation with Graph Neural Networks", eqs. 1–7): the items of a session are
 * the nodes of a graph, its clicks the edges; in every step a node takes in the mean over those before and over those after
 * it through a gated unit. With vₙ the newest item and αᵢ = q · σ(W₁ vₙ + W₂ vᵢ + c), W₃ [vₙ ; Σᵢ αᵢ vᵢ] is compared with
 * the item vectors.
 *
 * An edge counts once, however often it was walked, as in the released code. Every click is a target with its own graph.
 */
export const srgnn = defineModel({
  kind: 'neural',
  configSchema: srgnnSchema,
  create: (config, size) => createSrgnn(config, size),
});

function createSrgnn(config: z.infer<typeof srgnnSchema>, { numRows, seed, features }: ModelSize): NeuralModel {
  const { hiddenSize, numSteps, maxLength } = config;
  const layers = createLayers(new ParameterStore(seed), { epsilon: 0, layerStd: config.layerStd });
  const items = addItemVectors(layers, { ...config, numRows, features });
  for (const side of ['in', 'out']) {
    layers.addLinear(`edges.${side}`, hiddenSize, hiddenSize);
    layers.parameters.add(`edges.${side}.sumBias`, [hiddenSize], { kind: 'zeros' });
  }
  for (const gate of GATES) {
    layers.addLinear(`${gate}.in`, hiddenSize, hiddenSize);
    layers.addLinear(`${gate}.out`, hiddenSize, hiddenSize, { bias: false });
    layers.addLinear(`${gate}.state`, hiddenSize, hiddenSize);
  }
  layers.addLinear('newest', hiddenSize, hiddenSize);
  layers.addLinear('each', hiddenSize, hiddenSize);
  layers.addLinear('attention', hiddenSize, 1, { bias: false });
  layers.addLinear('local', hiddenSize, hiddenSize);
  layers.addLinear('global', hiddenSize, hiddenSize, { bias: false });

  const hear = (side: 'in' | 'out', states: Tensor2D, { from, to, ...graph }: SessionGraphs): Tensor2D => {
    const [sources, sinks, weights] =
      side === 'in' ? [from, to, graph.inverseInDegree] : [to, from, graph.inverseOutDegree];
    const messages = gatherRows(layers.linear(`edges.${side}`, states), sources);
    const means = scaleRows(scatterRows(messages, sinks, states.shape[0]), weights);
    return tf.add(means, layers.parameters.vector(`edges.${side}.sumBias`));
  };

  const propagate = (states: Tensor2D, graphs: SessionGraphs): Tensor2D => {
    const heard = (['in', 'out'] as const).map((side) => hear(side, states, graphs));
    const fromEdges = (gate: string): Tensor2D =>
      tf.add(layers.linear(`${gate}.in`, heard[0]), layers.linear(`${gate}.out`, heard[1]));
    const gateOf = (gate: string) => tf.sigmoid(tf.add(fromEdges(gate), layers.linear(`${gate}.state`, states)));
    const own = tf.mul(gateOf('reset'), layers.linear('candidate.state', states));
    const candidate = tf.tanh(tf.add(fromEdges('candidate'), own));
    return tf.add(candidate, tf.mul(gateOf('update'), tf.sub(states, candidate)));
  };

  return createNeuralModel({
    name: 'srgnn',
    parameters: layers.parameters,
    maxLength,
    bodyAt(batch, positions, mode) {
      const drop = dropoutsOf(mode);
      const x = items.project(items.embed(batch, drop(config.inputDropout), mode));
      const prefixes = prefixesOf(batch.offsets, positions);
      const graphs = sessionGraphsOf(prefixes, batch.itemIds);
      let states = gatherRows(x, graphs.nodeMembers);
      for (let step = 0; step < numSteps; step++) states = propagate(states, graphs);
      const newestNodes = positions.map((_, n) => graphs.nodeOf[prefixes.offsets[n + 1] - 1]);
      const newest = gatherRows(states, newestNodes);
      const asked = gatherRows(layers.linear('newest', newest), prefixes.owners);
      const each = gatherRows(layers.linear('each', states), graphs.nodeOf);
      const weights = layers.linear('attention', tf.sigmoid(tf.add(asked, each)) as Tensor2D);
      const global = weightedSums(weights, states, graphs.nodeOf, prefixes);
      return tf.add(layers.linear('local', newest), layers.linear('global', global));
    },
    ...items,
  });
}
