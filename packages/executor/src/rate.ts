const MINUTE_MS = 60_000;

/** Counts what happened within the last minute. */
export function createRate(nowMs: () => number = () => performance.now()): { add(): void; perMinute(): number } {
  const times: number[] = [];
  const started = nowMs();
  return {
    add: () => void times.push(nowMs()),
    perMinute() {
      const now = nowMs();
      while (times.length > 0 && times[0] <= now - MINUTE_MS) times.shift();
      const span = Math.min(MINUTE_MS, now - started);
      return span > 0 ? (times.length * MINUTE_MS) / span : 0;
    },
  };
}
