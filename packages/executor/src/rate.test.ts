import { createRate } from './rate.ts';

test('the rate is of the last minute, and of the time since the beginning while that is shorter', () => {
  let nowMs = 0;
  const rate = createRate(() => nowMs);
  expect(rate.perMinute()).toBe(0);
  nowMs = 10_000;
  for (let i = 0; i < 5; i++) rate.add();
  // 5 in 10 s.
  expect(rate.perMinute()).toBe(30);
  nowMs = 65_000;
  rate.add();
  expect(rate.perMinute()).toBe(6);
  // What was at 10 s is a minute old.
  nowMs = 70_000;
  expect(rate.perMinute()).toBe(1);
});
