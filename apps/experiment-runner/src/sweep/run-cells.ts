/** What became of a cell. */
export type CellOutcome<T> =
  | { readonly status: 'done' | 'reused'; readonly result: T }
  | { readonly status: 'failed'; readonly error: string };

export interface RunCellsArgs<C, T> {
  readonly cells: readonly C[];
  readonly workers: number;
  /** All running cells together are kept below this; one always runs. */
  readonly memoryBytes: number;
  /** A result that is there already. */
  find(cell: C): Promise<T | undefined>;
  run(cell: C): Promise<T>;
  /** Memory that a cell needed at most, in bytes. */
  memoryOf(result: T): number;
  onOutcome?(cell: C, outcome: CellOutcome<T>, index: number): void;
  readonly signal?: AbortSignal;
}

/**
 * Runs cells side by side; one that fails stops no other. A cell is taken to need as much memory as the largest so far, so
 * the first runs alone.
 *
 * @returns outcomes in the order of the cells
 */
export async function runCells<C, T>(args: RunCellsArgs<C, T>): Promise<CellOutcome<T>[]> {
  const { cells, workers, memoryBytes, find, run, memoryOf, onOutcome, signal } = args;
  const outcomes: CellOutcome<T>[] = new Array(cells.length);
  let largest: number | undefined;
  let running = 0;
  let next = 0;
  const finish = (index: number, outcome: CellOutcome<T>) => {
    outcomes[index] = outcome;
    if (outcome.status !== 'failed') largest = Math.max(largest ?? 0, memoryOf(outcome.result));
    onOutcome?.(cells[index], outcome, index);
  };
  const one = async (index: number) => {
    try {
      const found = await find(cells[index]);
      if (found !== undefined) return finish(index, { status: 'reused', result: found });
      finish(index, { status: 'done', result: await run(cells[index]) });
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      finish(index, { status: 'failed', error: error instanceof Error ? error.message : String(error) });
    }
  };
  const mayStart = () =>
    running === 0 || (running < workers && largest !== undefined && (running + 1) * largest <= memoryBytes);
  const active = new Set<Promise<void>>();
  while (next < cells.length || active.size > 0) {
    signal?.throwIfAborted();
    while (next < cells.length && mayStart()) {
      running++;
      const task: Promise<void> = one(next++).finally(() => {
        running--;
        active.delete(task);
      });
      active.add(task);
    }
    await Promise.race(active);
  }
  return outcomes;
}
