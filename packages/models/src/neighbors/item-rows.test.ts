import { packSessions } from '@nimue/batch';
import { createItemRowsModel } from './item-rows.ts';

test('a row is summed up when it is asked for, and a new window adds its own sessions only', () => {
  const read: number[][] = [];
  const model = createItemRowsModel({
    name: 'together',
    numRows: 8,
    maxEntries: 2,
    over: 'lastItem',
    addSession(clicks, item, weights) {
      read.push([...clicks]);
      for (const other of clicks) if (other !== item) weights[other]++;
    },
  });
  const fit = (...sessions: number[][]) => model.fitWindow(packSessions(sessions));
  const ask = (item: number) => {
    read.length = 0;
    const batch = packSessions([[item]], { positions: Int32Array.of(0), itemIds: Int32Array.of(3) });
    const { itemIds, scores } = model.recommend(batch, 2);
    return [...itemIds].map((id, place) => [id, scores[place]]);
  };
  fit([3, 4], [3, 5], [6, 5, 3]);
  expect(read).toEqual([]);
  expect(ask(3)).toEqual([
    [5, 2],
    [4, 1],
  ]);
  expect(read).toEqual([
    [3, 4],
    [3, 5],
    [6, 5, 3],
  ]);
  ask(3);
  expect(read).toEqual([]);
  fit([4, 6], [6, 3], [3, 6], [7, 4]);
  // 6 was cut from the row before, and was counted all the same
  expect(ask(3)).toEqual([
    [6, 3],
    [5, 2],
  ]);
  expect(read).toEqual([
    [6, 3],
    [3, 6],
  ]);
  expect(ask(7)).toEqual([
    [4, 1],
    [3, 0],
  ]);
});
