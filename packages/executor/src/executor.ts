/** Something to be done once: equal ids, equal results. */
export interface Job<I> {
  readonly id: string;
  /** For people. */
  readonly name: string;
  /** Plain JSON where jobs travel. */
  readonly input: I;
  /** Where jobs wait, one of a higher precedence goes before those of a lower one, which is 0 where none is given. */
  readonly precedence?: number;
}

/** Jobs of which the later ones depend on what became of the earlier ones. */
export interface JobSource<I> {
  /**
   * The job that comes next. Undefined while there is none: it is asked again after every outcome, and when nothing runs any
   * more, that was the last. It is never asked twice at a time.
   */
  next(): Promise<Job<I> | undefined>;
  /** How many jobs are known to come, for the progress. */
  numWaiting(): number;
}

/** What became of a job. */
export type Outcome<O> =
  | {
      /** `reused`: the result was there already. */
      readonly status: 'done' | 'reused';
      readonly result: O;
    }
  | { readonly status: 'failed'; readonly error: string };

/** How far all jobs together are. */
export interface ExecutorProgress {
  readonly numDone: number;
  readonly numFailed: number;
  readonly numRunning: number;
  readonly numWaiting: number;
  /** Finished in the last minute. */
  readonly perMinute: number;
}

export interface RunJobsOptions<I, O> {
  /** Called once for every job, in the order in which they finish. */
  readonly onOutcome?: (job: Job<I>, outcome: Outcome<O>, index: number) => void;
  /** What a running job says of itself. */
  readonly onJobProgress?: (job: Job<I>, progress: unknown) => void;
  /** Called about every second. */
  readonly onProgress?: (progress: ExecutorProgress) => void;
  /** Cancels what waits and what runs; `run` then rejects with its reason. */
  readonly signal?: AbortSignal;
}

/**
 * Where jobs run. Whatever runs them, the outcomes are the same: every job has one, in the order of the jobs, and one that
 * fails stops no other.
 */
export interface Executor<I, O> {
  run(jobs: readonly Job<I>[] | JobSource<I>, options?: RunJobsOptions<I, O>): Promise<Outcome<O>[]>;
  close(): Promise<void>;
}

/** What does the work of a job, in the process that took it. */
export type JobHandler<I, O> = (
  input: I,
  context: {
    readonly id: string;
    readonly signal: AbortSignal;
    /** Tells whoever waits for the job. */
    readonly onProgress: (progress: unknown) => void;
  },
) => Promise<{ readonly status: 'done' | 'reused'; readonly result: O }>;

/** A job that fails in the same way wherever it runs: it is not tried again. */
export class HopelessError extends Error {
  override readonly name = 'HopelessError';
}

/** A job for which there was no memory beside the others: it is begun again when there is. */
export class NoMemoryError extends Error {
  override readonly name = 'NoMemoryError';
  /** What it had taken. */
  readonly memoryBytes: number;
  constructor(memoryBytes: number) {
    super(`no memory beside the other jobs: it had taken ${Math.round(memoryBytes / 2 ** 20)} MiB`);
    this.memoryBytes = memoryBytes;
  }
}

/** @returns a list as a source */
export function sourceOf<I>(jobs: readonly Job<I>[] | JobSource<I>): JobSource<I> {
  if ('next' in jobs) return jobs;
  let given = 0;
  return { next: async () => jobs[given++], numWaiting: () => Math.max(0, jobs.length - given) };
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
