import { type Executor, type ExecutorProgress, type JobHandler, messageOf, type Outcome } from './executor.ts';
import { createRate } from './rate.ts';

export interface LocalExecutorOptions<I, O> {
  readonly handle: JobHandler<I, O>;
  /** So many jobs at a time. */
  readonly workers: number;
  /** All running jobs together are kept below this; one always runs. Default: no limit. */
  readonly memoryBytes?: number;
  /** Memory that a job needed at most, in bytes. */
  readonly memoryOf?: (result: O) => number;
}

/**
 * Runs jobs side by side in the care of this process. With a limit of memory a job is taken to need as much as the largest
 * so far, so the first runs alone.
 */
export function createLocalExecutor<I, O>(options: LocalExecutorOptions<I, O>): Executor<I, O> {
  const { handle, workers, memoryBytes = Number.POSITIVE_INFINITY, memoryOf } = options;
  return {
    async run(jobs, { onOutcome, onJobProgress, onProgress, signal = new AbortController().signal } = {}) {
      const outcomes: Outcome<O>[] = new Array(jobs.length);
      const rate = createRate();
      let largest = memoryOf ? undefined : 0;
      let running = 0;
      let next = 0;
      let [numDone, numFailed] = [0, 0];
      const finish = (index: number, outcome: Outcome<O>) => {
        outcomes[index] = outcome;
        rate.add();
        if (outcome.status === 'failed') numFailed++;
        else {
          numDone++;
          if (memoryOf) largest = Math.max(largest ?? 0, memoryOf(outcome.result));
        }
        onOutcome?.(jobs[index], outcome, index);
      };
      const one = async (index: number) => {
        const job = jobs[index];
        try {
          finish(
            index,
            await handle(job.input, { id: job.id, signal, onProgress: (progress) => onJobProgress?.(job, progress) }),
          );
        } catch (error) {
          if (signal.aborted) throw signal.reason;
          finish(index, { status: 'failed', error: messageOf(error) });
        }
      };
      const mayStart = () =>
        running === 0 || (running < workers && largest !== undefined && (running + 1) * largest <= memoryBytes);
      const progress = (): ExecutorProgress => ({
        numDone,
        numFailed,
        numRunning: running,
        numWaiting: jobs.length - numDone - numFailed - running,
        perMinute: rate.perMinute(),
      });
      const timer = onProgress && setInterval(() => onProgress(progress()), 1000);
      const active = new Set<Promise<void>>();
      try {
        while (next < jobs.length || active.size > 0) {
          signal.throwIfAborted();
          while (next < jobs.length && mayStart()) {
            running++;
            const task: Promise<void> = one(next++).finally(() => {
              running--;
              active.delete(task);
            });
            active.add(task);
          }
          await Promise.race(active);
        }
      } catch (error) {
        await Promise.allSettled(active);
        throw error;
      } finally {
        clearInterval(timer);
      }
      return outcomes;
    },
    async close() {},
  };
}
