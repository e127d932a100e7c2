import { newItemsFrom } from './new-items.ts';

/** Ids 3 and 4 are known, 5 and 6 are new. */
async function* windows() {
  yield { itemIds: Int32Array.of(3, 5, 4, 6, 5), offsets: Int32Array.of(0, 3, 5) };
  yield { itemIds: Int32Array.of(1, 5, 3), offsets: Int32Array.of(0, 3) };
}

test('neighbors: the known items clicked right before or after a new one', async () => {
  const newItems = await newItemsFrom('neighbors', 5, windows);
  if (newItems.kind !== 'similar') throw new Error(newItems.kind);
  expect(newItems.similarTo(5)).toEqual([3, 4, 3]);
  expect(newItems.similarTo(6)).toEqual([]);
});

test('random and mean need no sessions', async () => {
  expect(await newItemsFrom('mean', 5, windows)).toEqual({ kind: 'mean' });
  expect(await newItemsFrom('random', 5, windows)).toEqual({ kind: 'random' });
});
