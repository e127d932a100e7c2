import type { EncodedSessions } from './encode-sessions.ts';
import { takeEvents } from './take-events.ts';

/** Sessions as a model may see them, and what came next. */
export interface NextItemQuestions {
  readonly visible: EncodedSessions;
  /** The newest item of every session, hidden from `visible` [S]; `UNKNOWN_ID` for one outside the vocabulary. */
  readonly targetIds: Int32Array;
}

/** Takes the newest item of every session away: the question that evaluation asks. Sessions of one item are left out. */
export function hideNewest(encoded: EncodedSessions): NextItemQuestions {
  const { inputs, sourceIndex } = takeEvents(encoded, { numDropped: 1, minLength: 2 });
  const targetIds = new Int32Array(inputs.offsets.length - 1);
  for (let s = 0; s < targetIds.length; s++) {
    targetIds[s] = encoded.itemIds[sourceIndex[inputs.offsets[s + 1] - 1] + 1];
  }
  return { visible: inputs, targetIds };
}
