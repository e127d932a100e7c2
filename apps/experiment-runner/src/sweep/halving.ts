/** One variation with the budget of a rung. */
export interface Trial {
  /** Which of the variations. */
  readonly cell: number;
  /** 0 is the smallest budget. */
  readonly rung: number;
}

/** Decides which trial runs next, from what has come out so far. */
export interface Halving {
  /** Undefined: nothing before another result comes; where nothing is running, nothing any more. */
  next(): Trial | undefined;
  /** @param score the larger the better; undefined where the trial failed */
  finish(trial: Trial, score: number | undefined): void;
  /** A result that was there already: the trial counts as begun. */
  restore(trial: Trial, score: number): void;
  /** Variations that have not begun. */
  numWaiting(): number;
}

export interface HalvingOptions {
  readonly numCells: number;
  /** With one rung every variation runs once, in order. */
  readonly numRungs: number;
  /** η: the best 1/η of a rung go on. */
  readonly factor: number;
}

/**
 * Asynchronous successive halving, the `get_job` of ASHA: a place that is free goes to a variation that is among the best
 * ⌊n / η⌋ of the n results of its rung so far, the highest rung first, and otherwise to the next variation in the lowest.
 * No rung waits for its last result.
 *
 * Li et al., A System for Massively Parallel Hyperparameter Tuning, MLSys 2020, algorithm 2. Differs from the paper: the
 * variations are finitely many; when all have run, nothing runs and the highest rung is empty, the best of the highest one that
 * is not goes on, so that something reaches the full budget. Of equal scores the earlier variation is the better.
 *
 * @example
 * const halving = createHalving({ numCells: 3, numRungs: 2, factor: 3 });
 * for (const score of [0.1, 0.3, 0.2]) halving.finish(halving.next()!, score);
 * halving.next(); // → { cell: 1, rung: 1 }
 */
export function createHalving({ numCells, numRungs, factor }: HalvingOptions): Halving {
  const rungs = Array.from({ length: numRungs }, () => ({
    results: [] as { cell: number; score: number }[],
    promoted: new Set<number>(),
  }));
  const begun = new Set<number>();
  let numRunning = 0;

  const add = ({ cell, rung }: Trial, score: number) => {
    rungs[rung].results.push({ cell, score });
    rungs[rung].results.sort((a, b) => b.score - a.score || a.cell - b.cell);
  };
  /** The best of a rung's first so many that has not gone on. */
  const promotable = (rung: number, numBest: number) =>
    rungs[rung].results.slice(0, numBest).find(({ cell }) => !rungs[rung].promoted.has(cell));
  const promote = (rung: number, cell: number): Trial => {
    rungs[rung].promoted.add(cell);
    numRunning++;
    return { cell, rung: rung + 1 };
  };

  return {
    next() {
      for (let rung = numRungs - 2; rung >= 0; rung--) {
        const found = promotable(rung, Math.floor(rungs[rung].results.length / factor));
        if (found) return promote(rung, found.cell);
      }
      for (let cell = 0; cell < numCells; cell++) {
        if (begun.has(cell)) continue;
        begun.add(cell);
        numRunning++;
        return { cell, rung: 0 };
      }
      if (numRunning > 0) return undefined;
      const highest = rungs.findLastIndex(({ results }) => results.length > 0);
      const last = highest < 0 || highest === numRungs - 1 ? undefined : promotable(highest, numCells);
      return last && promote(highest, last.cell);
    },
    finish(trial, score) {
      numRunning--;
      if (score !== undefined) add(trial, score);
    },
    restore(trial, score) {
      begun.add(trial.cell);
      if (trial.rung > 0) rungs[trial.rung - 1].promoted.add(trial.cell);
      add(trial, score);
    },
    numWaiting: () => numCells - begun.size,
  };
}
