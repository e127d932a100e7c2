import { packSessions } from '@nimue/batch';
import fc from 'fast-check';
import { sessionParallelSteps } from './session-parallel.ts';

const plain = (sessions: number[][], options: Parameters<typeof sessionParallelSteps>[1]) =>
  [...sessionParallelSteps(packSessions(sessions), options)].map(({ itemIds, targetIds, resets, lanes }) => ({
    pairs: Array.from(itemIds, (id, lane) => `${id}→${targetIds[lane]}`).join(' '),
    resets: [...resets],
    lanes: [...lanes],
  }));

test('two lanes through four sessions, by hand (figure 2 of the paper)', () => {
  const sessions = [[11, 12, 13, 14], [21, 22], [99], [31, 32, 33], [41, 42]];
  expect(plain(sessions, { batchSize: 2 })).toEqual([
    { pairs: '11→12 21→22', resets: [1, 1], lanes: [0, 1] },
    { pairs: '12→13 31→32', resets: [0, 1], lanes: [0, 1] },
    { pairs: '13→14 32→33', resets: [0, 0], lanes: [0, 1] },
    { pairs: '41→42', resets: [1], lanes: [0] },
  ]);
  expect(plain([[3]], { batchSize: 2 })).toEqual([]);
  expect(() => plain([[3, 4]], { batchSize: 0 })).toThrow('batchSize must be a whole number ≥ 1, got 0');
});

test('every transition of every session comes once, in order, in one lane, with one reset', () => {
  const session = fc.array(fc.integer({ min: 3, max: 50 }), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(
      fc.array(session, { maxLength: 15 }),
      fc.integer({ min: 1, max: 5 }),
      fc.option(fc.nat(9), { nil: undefined }),
      (sessions, batchSize, seed) => {
        const walked = sessions.map(() => ({ lane: -1, pairs: [] as string[] }));
        for (const step of sessionParallelSteps(packSessions(sessions), { batchSize, seed })) {
          for (const [i, s] of step.sessions.entries()) {
            const own = walked[s];
            expect(step.resets[i]).toBe(own.pairs.length === 0 ? 1 : 0);
            if (own.pairs.length > 0) expect(step.lanes[i]).toBe(own.lane);
            own.lane = step.lanes[i];
            expect(step.events[i]).toBe(sessions.slice(0, s).flat().length + own.pairs.length);
            own.pairs.push(`${step.itemIds[i]} ${step.targetIds[i]}`);
          }
        }
        expect(walked.map(({ pairs }) => pairs)).toEqual(
          sessions.map((items) => items.slice(1).map((item, i) => `${items[i]} ${item}`)),
        );
      },
    ),
    { numRuns: 200, seed: 8 },
  );
});
