import type { Tensor2D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { assertDropout, assertIndices, assertShape } from './assert-args.ts';
import { dropoutReference } from './dropout.ts';
import { type Dropout, type EmbedArgs, fusedKernel, NO_DROPOUT } from './fused-kernels.ts';
import { gatherRows } from './gather-rows.ts';
import { distinctRows, isByRows, pickRows } from './row-gradients.ts';
import { withGradient } from './with-gradient.ts';

export interface EmbedOptions {
  /** Learned position vectors [P, D] and the row to add at each event [T]. */
  readonly positionTable?: Tensor2D;
  readonly positions?: Int32Array;
  /** Multiplies the item vector; SASRec uses √D. */
  readonly scale?: number;
  readonly dropout?: Dropout;
}

/**
 * Item vectors with positions: y[t] = dropout(scale · table[itemIds[t]] + positionTable[positions[t]]).
 *
 * @param table [V, D]
 * @param itemIds [T]
 * @returns [T, D]
 * @throws when an id or a position lies outside its table, or only one of positionTable and positions is given
 */
export function embed(table: Tensor2D, itemIds: Int32Array, options: EmbedOptions = {}): Tensor2D {
  const { positionTable, positions, scale = 1, dropout = NO_DROPOUT } = options;
  assertShape('embed', 'table', table, [-1, -1]);
  assertIndices('embed', 'itemIds', itemIds, table.shape[0]);
  assertDropout('embed', dropout);
  if ((positionTable === undefined) !== (positions === undefined)) {
    throw new Error('embed: positionTable and positions go together, but only one was given');
  }
  if (positionTable && positions) {
    assertShape('embed', 'positionTable', positionTable, [-1, table.shape[1]]);
    assertIndices('embed', 'positions', positions, positionTable.shape[0]);
    if (positions.length !== itemIds.length) {
      throw new Error(`embed: ${positions.length} positions for ${itemIds.length} itemIds`);
    }
  }
  if (isByRows(table)) {
    const touched = distinctRows([itemIds], table.shape[0]);
    return embed(pickRows(table, touched.rows), touched.places[0], options);
  }
  if (positionTable && positions && isByRows(positionTable)) {
    const touched = distinctRows([positions], positionTable.shape[0]);
    const positionOptions = { positionTable: pickRows(positionTable, touched.rows), positions: touched.places[0] };
    return embed(table, itemIds, { ...options, ...positionOptions });
  }
  const forward = fusedKernel('embed');
  const backward = fusedKernel('embedGradient');
  if (!forward || !backward) return embedReference({ table, itemIds, positionTable, positions, scale, dropout });
  const rest = { itemIds, positions, scale, dropout };
  return withGradient(
    [table, positionTable],
    ([table, positionTable]) => ({ value: forward({ table, positionTable, ...rest }) }),
    (dy, [table, positionTable]) => {
      const gradient = backward({ table, positionTable, ...rest, dy });
      return [gradient.table, gradient.positionTable];
    },
  );
}

export function embedReference({ table, itemIds, positionTable, positions, scale, dropout }: EmbedArgs): Tensor2D {
  return tf.tidy(() => {
    let y = gatherRows(table, itemIds);
    if (scale !== 1) y = tf.mul(y, scale);
    if (positionTable && positions) y = tf.add(y, gatherRows(positionTable, positions));
    return dropoutReference(y, dropout);
  });
}
