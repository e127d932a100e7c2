import type { Job, JobSource, Outcome } from '@nimue/executor';
import type { CellResult } from './cell-pool.ts';
import type { Halving, Trial } from './halving.ts';
import type { Cell } from './plan-cells.ts';
import { type FinishedCell, scoreOf } from './sweep-table.ts';

/** What a cell needs to run, or what became of it without running. */
export type PlannedCell<I> =
  | { readonly key: string; readonly input: I }
  | { readonly key: string; readonly outcome: Outcome<CellResult> };

export interface CellJobsOptions<I> {
  readonly halving: Halving;
  readonly metric: string;
  /** The variation with the budget of its rung. */
  readonly cellOf: (trial: Trial) => Cell;
  readonly nameOf: (cell: Cell) => string;
  /** Reads and checks a cell, and finds its result where there is one. Called for one cell at a time. */
  readonly plan: (cell: Cell) => Promise<PlannedCell<I>>;
  /** Hears of every cell once. */
  readonly onFinished: (trial: Trial, finished: FinishedCell) => void;
  readonly signal: AbortSignal;
}

/** The cells of a sweep as jobs, and the way back from what became of a job to the cells that it stands for. */
export interface CellJobs<I> extends JobSource<I> {
  /** Takes what an earlier sweep has finished, rung by rung, before anything runs: the sweep goes on from there. */
  restore(numCells: number, numRungs: number): Promise<void>;
  finish(job: Job<I>, outcome: Outcome<CellResult>): void;
  /** Every cell that has an outcome, by rung and number. */
  finished(): readonly FinishedCell[];
}

export function createCellJobs<I>(options: CellJobsOptions<I>): CellJobs<I> {
  const { halving, metric, cellOf, nameOf, plan, onFinished, signal } = options;
  /** Cells that wait for the same job: equal keys, equal figures. */
  const waiting = new Map<string, Trial[]>();
  const done: { readonly trial: Trial; readonly finished: FinishedCell }[] = [];
  const tell = (trial: Trial, outcome: Outcome<CellResult>) => {
    const finished = { cell: cellOf(trial), outcome };
    done.push({ trial, finished });
    onFinished(trial, finished);
  };
  const end = (trial: Trial, outcome: Outcome<CellResult>) => {
    halving.finish(trial, outcome.status === 'failed' ? undefined : scoreOf(outcome.result, metric));
    tell(trial, outcome);
  };
  return {
    async restore(numCells, numRungs) {
      for (let cell = 0; cell < numCells; cell++) {
        for (let rung = 0; rung < numRungs; rung++) {
          signal.throwIfAborted();
          const trial = { cell, rung };
          const planned = await plan(cellOf(trial));
          if (!('outcome' in planned) || planned.outcome.status === 'failed') break;
          halving.restore(trial, scoreOf(planned.outcome.result, metric));
          tell(trial, planned.outcome);
        }
      }
    },
    async next() {
      for (;;) {
        signal.throwIfAborted();
        const trial = halving.next();
        if (!trial) return undefined;
        const cell = cellOf(trial);
        const planned = await plan(cell);
        const same = waiting.get(planned.key);
        if (same) same.push(trial);
        else if ('outcome' in planned) end(trial, planned.outcome);
        else {
          waiting.set(planned.key, [trial]);
          return { id: planned.key, name: nameOf(cell), input: planned.input, precedence: trial.rung };
        }
      }
    },
    numWaiting: () => halving.numWaiting(),
    finish({ id }, outcome) {
      const [first, ...others] = waiting.get(id) ?? [];
      waiting.delete(id);
      if (first) end(first, outcome);
      for (const trial of others) {
        end(trial, outcome.status === 'failed' ? outcome : { status: 'reused', result: outcome.result });
      }
    },
    finished: () =>
      [...done]
        .sort((a, b) => a.trial.rung - b.trial.rung || a.trial.cell - b.trial.cell)
        .map(({ finished }) => finished),
  };
}
