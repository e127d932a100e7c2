import { hashNumbers, hashText } from '../random/random.ts';

export interface SplitOptions {
  /** `user`: all sessions of a user lie on the same side. Default `session`. */
  readonly by?: 'session' | 'user';
  /** Share of a window's sessions that goes to `valid`; the rest is `test`. Default 0.5. */
  readonly validShare?: number;
  /** Another seed gives another division. Default 0. */
  readonly seed?: number;
}

/**
 * Says on which side of the valid/test division a session lies. It depends on the session's id and the seed alone:
 * not on the order of the log, nor on which other sessions are there.
 *
 * @param sessionId the raw id; by inactivity gap, the user's id
 * @param startMs start of the session, which tells apart the sessions of one user; 0 to keep them together
 */
export function splitOfSession(sessionId: string, startMs: number, options: SplitOptions = {}): 'valid' | 'test' {
  const { validShare = 0.5, seed = 0 } = options;
  return hashNumbers(hashText(sessionId, seed), startMs) / 4294967296 < validShare ? 'valid' : 'test';
}

/** The same division of sessions that are known by their key only. */
export function isValidKey(sessionKey: number, { validShare = 0.5, seed = 0 }: SplitOptions = {}): boolean {
  return hashNumbers(seed, sessionKey) / 4294967296 < validShare;
}

/** A number that stands for a session wherever it occurs: drawn from its id and start, not from its place in the log. */
export function keyOfSession(sessionId: string, startMs: number): number {
  return hashNumbers(hashText(sessionId), startMs) | 0;
}
