import type { SessionBatch } from './session-batch.ts';

/**
 * Checks everything that the ops rely on: offsets start at 0, never fall and end at T; columns have length T; targets
 * lie inside, in rising order.
 *
 * @param numItems when given, every item id and target id must be below it
 * @throws with the first index that is wrong
 */
export function assertSessionBatch(batch: SessionBatch, numItems = Number.POSITIVE_INFINITY): void {
  const { itemIds, offsets, timestampsMs, features, targets } = batch;
  if (offsets.length < 1) throw new Error('SessionBatch: offsets is empty; an empty batch has offsets [0]');
  if (offsets[0] !== 0) throw new Error(`SessionBatch: offsets[0] must be 0, got ${offsets[0]}`);
  for (let b = 1; b < offsets.length; b++) {
    if (offsets[b] < offsets[b - 1]) {
      throw new Error(`SessionBatch: offsets fall at ${b}: ${offsets[b - 1]} is followed by ${offsets[b]}`);
    }
  }
  const numPositions = offsets[offsets.length - 1];
  if (numPositions !== itemIds.length) {
    throw new Error(`SessionBatch: offsets end at ${numPositions} but itemIds has length ${itemIds.length}`);
  }
  for (let i = 0; i < itemIds.length; i++) {
    if (itemIds[i] < 0 || itemIds[i] >= numItems) {
      throw new Error(`SessionBatch: itemIds[${i}] is ${itemIds[i]}, expected 0 … ${numItems - 1}`);
    }
  }
  if (timestampsMs && timestampsMs.length !== numPositions) {
    throw new Error(`SessionBatch: timestampsMs has length ${timestampsMs.length}, expected ${numPositions}`);
  }
  for (const [name, column] of Object.entries(features ?? {})) {
    if (column.length !== numPositions) {
      throw new Error(`SessionBatch: feature '${name}' has length ${column.length}, expected ${numPositions}`);
    }
  }
  if (batch.sessionKeys && batch.sessionKeys.length !== offsets.length - 1) {
    throw new Error(`SessionBatch: sessionKeys has length ${batch.sessionKeys.length}, expected ${offsets.length - 1}`);
  }
  for (const name of ['factorizationPlaces', 'originalItemIds'] as const) {
    const column = batch[name];
    if (column && column.length !== numPositions) {
      throw new Error(`SessionBatch: ${name} has length ${column.length}, expected ${numPositions}`);
    }
  }
  if (targets.positions.length !== targets.itemIds.length) {
    throw new Error(
      `SessionBatch: targets has ${targets.positions.length} positions but ${targets.itemIds.length} item ids`,
    );
  }
  const { weights } = targets;
  if (weights && weights.length !== targets.positions.length) {
    throw new Error(`SessionBatch: targets.weights has length ${weights.length}, expected ${targets.positions.length}`);
  }
  const wrong = weights ? weights.findIndex((weight) => !(weight >= 0 && weight < Number.POSITIVE_INFINITY)) : -1;
  if (wrong >= 0) {
    throw new Error(`SessionBatch: targets.weights[${wrong}] is ${weights?.[wrong]}, expected a finite number ≥ 0`);
  }
  for (let n = 0; n < targets.positions.length; n++) {
    const position = targets.positions[n];
    if (position < 0 || position >= numPositions) {
      throw new Error(`SessionBatch: targets.positions[${n}] is ${position}, expected 0 … ${numPositions - 1}`);
    }
    if (n > 0 && position <= targets.positions[n - 1]) {
      throw new Error(`SessionBatch: targets.positions must rise strictly, but [${n}] is ${position}`);
    }
    if (targets.itemIds[n] < 0 || targets.itemIds[n] >= numItems) {
      throw new Error(`SessionBatch: targets.itemIds[${n}] is ${targets.itemIds[n]}, expected 0 … ${numItems - 1}`);
    }
  }
}
