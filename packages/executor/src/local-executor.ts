import {
  type Executor,
  type ExecutorProgress,
  type Job,
  type JobHandler,
  messageOf,
  NoMemoryError,
  type Outcome,
  sourceOf,
} from './executor.ts';
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
 * so far, so the first runs alone; one that ends with a `NoMemoryError` is begun again before all others.
 */
export function createLocalExecutor<I, O>(options: LocalExecutorOptions<I, O>): Executor<I, O> {
  const { handle, workers, memoryBytes = Number.POSITIVE_INFINITY, memoryOf } = options;
  return {
    async run(given, { onOutcome, onJobProgress, onProgress, signal = new AbortController().signal } = {}) {
      const source = sourceOf(given);
      const jobs: Job<I>[] = [];
      const outcomes: Outcome<O>[] = [];
      const again: number[] = [];
      const rate = createRate();
      let largest = memoryOf ? undefined : 0;
      let running = 0;
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
          if (!(error instanceof NoMemoryError)) return finish(index, { status: 'failed', error: messageOf(error) });
          largest = Math.max(largest ?? 0, error.memoryBytes);
          again.push(index);
        }
      };
      const mayStart = () =>
        running === 0 || (running < workers && largest !== undefined && (running + 1) * largest <= memoryBytes);
      const take = async (): Promise<number | undefined> => {
        const back = again.shift();
        if (back !== undefined) return back;
        for (;;) {
          const numBefore = numDone + numFailed;
          const job = await source.next();
          if (job) return jobs.push(job) - 1;
          // What ended meanwhile may have brought something.
          if (numDone + numFailed === numBefore) return undefined;
        }
      };
      const progress = (): ExecutorProgress => ({
        numDone,
        numFailed,
        numRunning: running,
        numWaiting: source.numWaiting() + again.length,
        perMinute: rate.perMinute(),
      });
      const timer = onProgress && setInterval(() => onProgress(progress()), 1000);
      const active = new Set<Promise<void>>();
      try {
        for (;;) {
          signal.throwIfAborted();
          while (mayStart()) {
            const index = await take();
            if (index === undefined) break;
            running++;
            const task: Promise<void> = one(index).finally(() => {
              running--;
              active.delete(task);
            });
            // Where it fails while the source is asked, the signal says so above.
            task.catch(() => {});
            active.add(task);
          }
          if (active.size > 0) await Promise.race(active);
          else if (again.length === 0) break;
        }
        signal.throwIfAborted();
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
