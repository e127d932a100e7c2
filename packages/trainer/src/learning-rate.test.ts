import { readFileSync } from 'node:fs';
import { assertClose } from '@nimue/testing';
import { learningRateAt, Plateau, plateauSchema, type ScheduleName, schedules, trainingSchema } from './index.ts';

const at = (schedule: ScheduleName, warmupShare: number, numSteps: number) =>
  Array.from({ length: numSteps }, (_, i) =>
    learningRateAt(i + 1, numSteps, { learningRate: 8, schedule, warmupShare }),
  );

test.each([
  ['constant', 0, [8, 8, 8, 8]],
  ['constant', 0.5, [4, 8, 8, 8]],
  ['linear', 0, [8, 6, 4, 2]],
  ['linear', 1, [2, 4, 6, 8]],
  ['cosine', 0, [8, 4 + 2 * Math.SQRT2, 4, 4 - 2 * Math.SQRT2]],
  ['cosine', 0.25, [8, 8, 6, 2]],
  ['cosineRestarts', 0, [8, 4, 8, 4]],
  ['step', 0, [8, 8, 0.8, 0.08]],
  ['step', 0.5, [4, 8, 8, 0.8]],
] as const)('%s with warm-up %p by hand', (schedule, warmupShare, expected) => {
  assertClose('rates', at(schedule, warmupShare, 4), expected, 1e-12);
});

test.each(Object.keys(schedules) as ScheduleName[])(
  '%s: one step has a rate above 0 and at most the highest',
  (name) => {
    const [rate] = at(name, 0, 1);
    expect(rate).toBeGreaterThan(0);
    expect(rate).toBeLessThanOrEqual(8);
    expect(trainingSchema.parse({ schedule: name }).schedule).toBe(name);
  },
);

interface Fixture {
  learningRate: number;
  numSteps: number;
  cases: Record<string, Record<string, number[]>>;
  reduceOnPlateau: { factor: number; patience: number; minDelta: number; losses: number[]; rates: number[] };
}
const fixture: Fixture = JSON.parse(readFileSync(new URL('../fixtures/schedules.json', import.meta.url), 'utf8'));

const cases = Object.entries(fixture.cases).flatMap(([schedule, byWarmup]) =>
  Object.entries(byWarmup).map(([numWarmup, rates]) => [schedule as ScheduleName, Number(numWarmup), rates] as const),
);

test.each(cases)('%s with %i steps of warm-up: the rates of PyTorch and transformers', (schedule, numWarmup, rates) => {
  const { learningRate, numSteps } = fixture;
  const config = { learningRate, schedule, warmupShare: numWarmup / numSteps, numCycles: 3 };
  for (let step = 1; step <= numSteps; step++) {
    // Their warm-up begins at 0, ours one step later.
    const isWarmup = schedule !== 'oneCycle' && step <= numWarmup;
    expect(learningRateAt(step, numSteps, config)).toBeCloseTo(rates[isWarmup ? step : step - 1], 12);
  }
});

test('reduceOnPlateau: the rates of PyTorch', () => {
  const { losses, rates, ...config } = fixture.reduceOnPlateau;
  const plateau = new Plateau(plateauSchema.parse(config));
  const found = [
    1,
    ...losses.map((loss) => {
      plateau.observe(loss);
      return plateau.share;
    }),
  ];
  assertClose(
    'rates',
    found.map((share) => share * fixture.learningRate),
    rates,
    1e-12,
  );
  expect(new Set(rates).size).toBeGreaterThan(2);
});
