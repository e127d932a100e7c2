import { expect, test } from '@jest/globals';
import { createHalving, type Trial } from './halving.ts';

/** The schedule on so many workers, as `cell@rung from-to`; a trial of rung r takes factor^r units of time. */
function schedule(scores: readonly (number | undefined)[], numWorkers: number, factor = 3, numRungs = 3): string[] {
  const halving = createHalving({ numCells: scores.length, numRungs, factor });
  const lines: string[] = [];
  const busy: ({ trial: Trial; end: number } | undefined)[] = new Array(numWorkers).fill(undefined);
  for (let now = 0; ; ) {
    for (let worker = 0; worker < numWorkers; worker++) {
      if (busy[worker]) continue;
      const trial = halving.next();
      if (!trial) continue;
      const end = now + factor ** trial.rung;
      busy[worker] = { trial, end };
      lines.push(`${trial.cell}@${trial.rung} ${now}-${end}`);
    }
    const ends = busy.flatMap((work) => (work ? [work.end] : []));
    if (ends.length === 0) return lines;
    now = Math.min(...ends);
    // Workers that end at the same time report one after the other, and each is given its next trial at once.
    for (let worker = 0; worker < numWorkers; worker++) {
      const work = busy[worker];
      if (work?.end !== now) continue;
      halving.finish(work.trial, scores[work.trial.cell]);
      busy[worker] = undefined;
      const trial = halving.next();
      if (!trial) continue;
      const end = now + factor ** trial.rung;
      busy[worker] = { trial, end };
      lines.push(`${trial.cell}@${trial.rung} ${now}-${end}`);
    }
  }
}

test('one worker: the schedule worked out by hand', () => {
  // After the third result the best third is cell 2; after the sixth 2 and 5, after the ninth 2, 5 and 3; then the third
  // result of the middle rung lets cell 2 into the last one.
  expect(schedule([5, 1, 9, 7, 3, 8, 2, 6, 4], 1)).toEqual([
    '0@0 0-1',
    '1@0 1-2',
    '2@0 2-3',
    '2@1 3-6',
    '3@0 6-7',
    '4@0 7-8',
    '5@0 8-9',
    '5@1 9-12',
    '6@0 12-13',
    '7@0 13-14',
    '8@0 14-15',
    '3@1 15-18',
    '2@2 18-27',
  ]);
});

test('two workers, every variation better than those before it: the schedule worked out by hand', () => {
  // The worst order: nearly every result is the best of its rung when it comes, so that more go on than a third.
  expect(schedule([0, 1, 2, 3, 4, 5, 6, 7, 8], 2)).toEqual([
    '0@0 0-1',
    '1@0 0-1',
    '2@0 1-2',
    '3@0 1-2',
    '2@1 2-5', // 3 results, the best is 2
    '3@1 2-5', // 4 results, the best is 3
    '4@0 5-6', // the middle rung has one result: a third of it is none
    '5@0 5-6',
    '4@1 6-9',
    '5@1 6-9', // 6 results, the best two are 5 and 4
    '4@2 9-18', // the middle rung has three: 4 is the best
    '5@2 9-18', // it has four: 5 is
    '6@0 18-19',
    '7@0 18-19',
    '6@1 19-22',
    '7@1 19-22',
    '6@2 22-31',
    '7@2 22-31',
    '8@0 31-32', // the other worker has nothing until it ends
    '8@1 32-35',
    '8@2 35-44',
  ]);
});

test('no rung waits: a slow first trial holds up nothing', () => {
  const halving = createHalving({ numCells: 4, numRungs: 2, factor: 2 });
  const slow = halving.next()!;
  expect(slow).toEqual({ cell: 0, rung: 0 });
  halving.finish(halving.next()!, 0.1);
  halving.finish(halving.next()!, 0.2);
  expect(halving.next()).toEqual({ cell: 2, rung: 1 });
  expect(halving.next()).toEqual({ cell: 3, rung: 0 });
  expect(halving.next()).toBeUndefined();
  halving.finish(slow, 0.9);
  // Three results: the best one is 0 now.
  expect(halving.next()).toEqual({ cell: 0, rung: 1 });
});

test('too few for a third: the best goes on all the same when everything has run; failed ones never do', () => {
  expect(schedule([1, 2], 1)).toEqual(['0@0 0-1', '1@0 1-2', '1@1 2-5', '1@2 5-14']);
  expect(schedule([undefined, 2, undefined, 1], 2, 3, 2)).toEqual([
    '0@0 0-1',
    '1@0 0-1',
    '2@0 1-2',
    '3@0 1-2',
    '1@1 2-5',
  ]);
  expect(schedule([undefined, undefined], 1)).toEqual(['0@0 0-1', '1@0 1-2']);
  expect(schedule([], 2)).toEqual([]);
});

test('one rung: everything once, in order', () => {
  expect(schedule([3, 1, 2], 2, 3, 1)).toEqual(['0@0 0-1', '1@0 0-1', '2@0 1-2']);
});

test('equal scores: the earlier variation', () => {
  expect(schedule([1, 1, 1], 1, 3, 2).at(-1)).toBe('0@1 3-6');
});

test('what was there before counts as begun and as gone on', () => {
  const halving = createHalving({ numCells: 4, numRungs: 2, factor: 2 });
  halving.restore({ cell: 1, rung: 0 }, 0.5);
  halving.restore({ cell: 1, rung: 1 }, 0.6);
  halving.restore({ cell: 3, rung: 0 }, 0.4);
  expect(halving.numWaiting()).toBe(2);
  // The better of the two has gone on already.
  expect(halving.next()).toEqual({ cell: 0, rung: 0 });
  expect(halving.next()).toEqual({ cell: 2, rung: 0 });
  halving.finish({ cell: 0, rung: 0 }, 0.1);
  halving.finish({ cell: 2, rung: 0 }, 0.45);
  expect(halving.next()).toEqual({ cell: 2, rung: 1 });
  halving.finish({ cell: 2, rung: 1 }, 0.2);
  expect(halving.next()).toBeUndefined();
});
