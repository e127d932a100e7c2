/** Tells the time; replaced in tests, so that run names and durations are known. */
export interface Clock {
  /** Wall-clock time, for names and records. */
  now(): Date;
  /** Milliseconds since some fixed point, never falling, for durations. */
  elapsedMs(): number;
}

/** The machine's own clock. */
export function createSystemClock(): Clock {
  return { now: () => new Date(), elapsedMs: () => performance.now() };
}
