import { performance } from 'node:perf_hooks';

export interface Timing {
  readonly medianMs: number;
  readonly bestMs: number;
  /** Processor time of all threads together, the smallest of all runs: what a busy machine disturbs least. */
  readonly cpuMs: number;
  readonly runs: number;
}

/** Runs `body` a few times to warm up, then at least `minRuns` times and for about `seconds`. */
export function measure(body: () => void, { seconds = 1, minRuns = 5, warmUp = 2 } = {}): Timing {
  for (let i = 0; i < warmUp; i++) body();
  const times: number[] = [];
  let cpuMs = Number.POSITIVE_INFINITY;
  const end = performance.now() + seconds * 1000;
  while (times.length < minRuns || performance.now() < end) {
    const [start, cpuStart] = [performance.now(), process.cpuUsage()];
    body();
    times.push(performance.now() - start);
    const { user, system } = process.cpuUsage(cpuStart);
    cpuMs = Math.min(cpuMs, (user + system) / 1000);
  }
  times.sort((a, b) => a - b);
  return { medianMs: times[Math.floor(times.length / 2)], bestMs: times[0], cpuMs, runs: times.length };
}

/** Peak resident memory of this process so far, in MB. */
export function peakMemoryMb(): number {
  return process.resourceUsage().maxRSS / 1024;
}
