import { UNKNOWN_ID } from '@nimue/batch';
import { ItemVocabulary } from './item-vocabulary.ts';

test('ids are given in first-seen order, never change, and new ones continue', () => {
  const vocabulary = new ItemVocabulary();
  expect(vocabulary.size).toBe(3);
  expect([...vocabulary.grow({ itemCodes: Int32Array.of(9, 4, 9) })]).toEqual([3, 4]);
  expect([...vocabulary.grow({ itemCodes: Int32Array.of(4, 5000, 0) })]).toEqual([5, 6]);
  expect([...vocabulary.grow({ itemCodes: Int32Array.of(0, 9) })]).toEqual([]);
  expect(vocabulary.size).toBe(7);
  expect(vocabulary.numItems).toBe(4);
  expect([...vocabulary.encode(Int32Array.of(9, 4, 5000, 0, 1, 9999))]).toEqual([3, 4, 5, 6, UNKNOWN_ID, UNKNOWN_ID]);
  expect([3, 4, 5, 6].map((id) => vocabulary.codeOf(id))).toEqual([9, 4, 5000, 0]);
  expect([vocabulary.idOf(4), vocabulary.idOf(12345)]).toEqual([4, UNKNOWN_ID]);
});

test('survives JSON; a clone grows alone', () => {
  const vocabulary = new ItemVocabulary();
  vocabulary.grow({ itemCodes: Int32Array.of(7, 3) });
  const back = ItemVocabulary.fromJSON(JSON.parse(JSON.stringify(vocabulary)));
  expect([...back.encode(Int32Array.of(3, 7))]).toEqual([4, 3]);
  const clone = vocabulary.clone();
  clone.grow({ itemCodes: Int32Array.of(8) });
  expect([clone.size, vocabulary.size]).toEqual([6, 5]);
});

test('refuses reserved and unknown ids, wrong codes and damaged files', () => {
  const vocabulary = new ItemVocabulary();
  expect(() => vocabulary.codeOf(2)).toThrow('no item has id 2');
  expect(() => vocabulary.codeOf(3)).toThrow('no item has id 3');
  expect(() => vocabulary.grow({ itemCodes: Int32Array.of(-1) })).toThrow('expected a whole item code ≥ 0, got -1');
  expect(() => ItemVocabulary.fromJSON({ itemCodes: [4, 4] })).toThrow('2 codes but only 1 different ones');
});
