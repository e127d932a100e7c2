import { type SessionBatch, UNKNOWN_ID } from '@nimue/batch';
import { hideEvents, takeEvents } from './take-events.ts';

/** The visible items as they are; the newest position of each session predicts. */
export function predictAtNewest(visible: SessionBatch, targetIds?: Int32Array): SessionBatch {
  assertQuestions(visible, targetIds);
  return { ...visible, targets: targetsAtLast(visible, targetIds) };
}

/** The visible items and one hidden position after them, which predicts. */
export function predictAtAppended(visible: SessionBatch, targetIds?: Int32Array): SessionBatch {
  assertQuestions(visible, targetIds);
  const { inputs } = takeEvents(visible, { numRepeated: 1 });
  const targets = targetsAtLast(inputs, targetIds);
  hideEvents(inputs, targets.positions);
  return { ...inputs, targets };
}

function targetsAtLast({ offsets }: Pick<SessionBatch, 'offsets'>, targetIds?: Int32Array): SessionBatch['targets'] {
  const positions = offsets.slice(1).map((end) => end - 1);
  return { positions, itemIds: targetIds ?? new Int32Array(positions.length).fill(UNKNOWN_ID) };
}

function assertQuestions({ offsets }: SessionBatch, targetIds?: Int32Array): void {
  const count = offsets.length - 1;
  if (targetIds && targetIds.length !== count) {
    throw new Error(`createInferenceBatch: got ${targetIds.length} targets for ${count} sessions`);
  }
  for (let s = 0; s < count; s++) {
    if (offsets[s + 1] > offsets[s]) continue;
    throw new Error(
      `createInferenceBatch: session ${s} is empty; show at least one item, the unknown one if there is no other`,
    );
  }
}
