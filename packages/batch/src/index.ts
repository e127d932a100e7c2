export { assertSessionBatch } from './assert-session-batch.ts';
export type { AttentionDirection } from './attention-direction.ts';
export { factorizationMask } from './factorization-mask.ts';
export { packSessions } from './pack-sessions.ts';
export { type ReplacedItems, replaceTargets } from './replace-targets.ts';
export { FIRST_ITEM_ID, MASK_ID, PAD_ID, UNKNOWN_ID } from './reserved-ids.ts';
export {
  lastPositions,
  maxSessionLength,
  NO_TARGETS,
  numSessions,
  positionsFromNewest,
  positionsInSession,
  type SessionBatch,
  type SessionTargets,
} from './session-batch.ts';
