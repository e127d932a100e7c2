import { MicroBatcher } from './micro-batcher.ts';

test('what waits at the same time goes together, at most maxSize at once, and answers find their questions', async () => {
  const sizes: number[] = [];
  const batcher = new MicroBatcher<number, number>({
    maxSize: 4,
    answer: (numbers) => numbers.map((n) => (n === 5 ? new Error('five') : n * n)),
    onBatch: (size) => sizes.push(size),
  });
  const answers = await Promise.allSettled(Array.from({ length: 10 }, (_, n) => batcher.ask(n)));
  expect(
    answers.map((answer) => (answer.status === 'fulfilled' ? answer.value : (answer.reason as Error).message)),
  ).toEqual([0, 1, 4, 9, 16, 'five', 36, 49, 64, 81]);
  expect(sizes).toEqual([4, 4, 2]);
  expect(await batcher.ask(3)).toBe(9);
  expect(sizes).toEqual([4, 4, 2, 1]);
  expect(batcher.numWaiting).toBe(0);
});

test('a pass that fails is the failure of its questions, and of no later one', async () => {
  let isBroken = true;
  const batcher = new MicroBatcher<number, number>({
    maxSize: 2,
    answer(numbers) {
      if (!isBroken) return numbers;
      isBroken = false;
      throw new Error('broken');
    },
  });
  const [first, second, third] = await Promise.allSettled([batcher.ask(1), batcher.ask(2), batcher.ask(3)]);
  expect([first.status, second.status]).toEqual(['rejected', 'rejected']);
  expect(third).toEqual({ status: 'fulfilled', value: 3 });
});
