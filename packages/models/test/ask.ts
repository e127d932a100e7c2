import { FIRST_ITEM_ID, MASK_ID, packSessions, positionsInSession, type SessionBatch } from '@nimue/batch';
import { causalBatch } from '@nimue/testing';
import type { InputColumn } from '../src/inputs/input-column.ts';
import type { AnyModel } from '../src/next-item-model.ts';

type Sessions = readonly (readonly number[])[];

/** What a model is shown when the item after each session is asked for: as the objectives that fit its attention do. */
export function inferenceBatch(model: AnyModel, visible: Sessions, targetIds?: readonly number[]): SessionBatch {
  const attention = attentionOf(model);
  const shown = attention === 'causal' ? visible : visible.map((session) => [...session, MASK_ID]);
  let end = 0;
  const positions = Int32Array.from(shown, (session) => {
    end += session.length;
    return end - 1;
  });
  const itemIds = Int32Array.from(targetIds ?? visible.map(() => 3));
  const batch = withTimes(packSessions(shown, { positions, itemIds }));
  if (attention !== 'twoStream') return batch;
  const factorizationPlaces = new Int32Array(batch.itemIds.length);
  for (const position of positions) factorizationPlaces[position] = 1;
  return { ...batch, factorizationPlaces };
}

/** The columns of `withTimes`. */
export const COLUMNS: readonly InputColumn[] = [
  { name: 'brand', kind: 'category', numValues: 4 },
  { name: 'price', kind: 'number' },
  { name: 'device', kind: 'category', numValues: 3 },
  { name: 'age', kind: 'number' },
  { name: 'text_0', kind: 'number' },
  { name: 'text_1', kind: 'number' },
];

/**
 * Times that depend on the place in the session alone: 0, 1, 8, 27 … seconds; features of the item, and hidden (0) with it.
 */
export function withTimes(batch: SessionBatch): SessionBatch {
  const timestampsMs = Float64Array.from(positionsInSession(batch.offsets), (place) => 1000 * place ** 3);
  return { ...batch, timestampsMs, features: featuresOf(batch.itemIds) };
}

/** Features that follow from the item ids; 0 for reserved ones. */
export function featuresOf(itemIds: Int32Array): NonNullable<SessionBatch['features']> {
  const numbers = (of: (id: number) => number) => Float32Array.from(itemIds, (id) => (id < FIRST_ITEM_ID ? 0 : of(id)));
  return {
    brand: Int32Array.from(numbers((id) => 1 + (id % 3))),
    price: numbers((id) => Math.cos(id)),
    device: Int32Array.from(numbers((id) => 1 + (id % 2))),
    age: numbers((id) => Math.sin(2 * id)),
    text_0: numbers((id) => Math.sin(id)),
    text_1: numbers((id) => Math.cos(3 * id)),
  };
}

/** Inputs and targets to learn from: every next item, or the newest and the second item of sessions of three or more. */
export function trainingBatch(model: AnyModel, sessions: Sessions): SessionBatch {
  const attention = attentionOf(model);
  if (attention === 'causal') return withTimes(causalBatch(sessions));
  const whole = withTimes(packSessions(sessions));
  const positions: number[] = [];
  const factorizationPlaces = new Int32Array(whole.itemIds.length);
  sessions.forEach(({ length }, b) => {
    const from = whole.offsets[b];
    if (length > 2) positions.push(from + 1);
    if (length > 2) factorizationPlaces[from + 1] = 2;
    if (length > 1) positions.push(from + length - 1);
    if (length > 1) factorizationPlaces[from + length - 1] = 1;
  });
  const targets = {
    positions: Int32Array.from(positions),
    itemIds: Int32Array.from(positions, (position) => whole.itemIds[position]),
  };
  if (attention === 'twoStream') return { ...whole, targets, factorizationPlaces };
  const itemIds = whole.itemIds.slice();
  for (const position of positions) itemIds[position] = MASK_ID;
  return {
    ...whole,
    itemIds,
    features: featuresOf(itemIds),
    targets,
    ...(hasDiscriminator(model) && { originalItemIds: whole.itemIds }),
  };
}

export function attentionOf(model: AnyModel): 'causal' | 'bidirectional' | 'twoStream' {
  return model.kind === 'neural' ? (model.attention ?? 'causal') : 'causal';
}

function hasDiscriminator(model: AnyModel): boolean {
  return model.kind === 'neural' && model.parameters.names.some((name) => name.startsWith('discriminator'));
}
