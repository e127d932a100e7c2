import type { Value } from '../graph.ts';
import { hidesPadding } from './attention.ts';
import type { ModelParts } from './model-parts.ts';
import { transformer } from './transformer.ts';

/** ε of every layer norm, BERT's. */
const EPSILON = 1e-12;

/** Two-way self-attention over normalised item vectors: the body of the BERT family. */
export function bertBody(
  parts: ModelParts,
  config: { readonly hiddenSize: number; readonly numBlocks: number; readonly numHeads: number },
  isShared: boolean,
): Value {
  const x = parts.project(parts.norm('itemNorm', parts.embed(), EPSILON));
  const hiding = hidesPadding(parts);
  const { hiddenSize, numBlocks, numHeads } = config;
  const sizes = { hiddenSize, numBlocks, numHeads, isShared };
  const states = transformer(parts, x, { ...sizes, norm: 'post', activation: 'gelu', epsilon: EPSILON, hiding });
  return parts.atTarget(states);
}
