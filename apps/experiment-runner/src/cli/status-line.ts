import type { ExecutorProgress } from '@nimue/executor';
import { formatDuration } from '../report/format.ts';

const CLEAR_LINE = '\r\u001b[2K';
/** Without a terminal a line now and then. */
const QUIET_MS = 30_000;

export interface StatusLine {
  show(progress: ExecutorProgress): void;
  /** What one of the running cells says. */
  say(line: string | undefined): void;
  clear(): void;
}

/** How far a sweep is: one line that is redrawn on a terminal, and one in half a minute elsewhere. */
export function createStatusLine(
  out: { readonly isTTY?: boolean; readonly columns?: number; write(text: string): unknown },
  nowMs: () => number = () => performance.now(),
): StatusLine {
  let said = '';
  let shownMs = nowMs();
  return {
    show(progress) {
      const line = describeProgress(progress);
      if (out.isTTY) out.write(`${CLEAR_LINE}${`${line}  ${said}`.trimEnd().slice(0, (out.columns || 120) - 1)}`);
      else if (nowMs() - shownMs >= QUIET_MS) {
        shownMs = nowMs();
        out.write(`${line}\n`);
      }
    },
    say(line = '') {
      said = line.trim().split('\n')[0];
    },
    clear() {
      if (out.isTTY) out.write(CLEAR_LINE);
    },
  };
}

/** `12 done, 1 failed, 3 running, 184 waiting; 41 a minute, about 4 min left` */
export function describeProgress({ numDone, numFailed, numRunning, numWaiting, perMinute }: ExecutorProgress): string {
  const left = numRunning + numWaiting;
  const counts = `${numDone} done, ${numFailed} failed, ${numRunning} running, ${numWaiting} waiting`;
  if (perMinute <= 0 || left === 0) return counts;
  const rate = perMinute >= 10 ? perMinute.toFixed(0) : perMinute.toFixed(1);
  return `${counts}; ${rate} a minute, about ${formatDuration((60 * left) / perMinute)} left`;
}
