import { FIRST_ITEM_ID, type SessionBatch } from '@nimue/batch';
import { assertClose } from '@nimue/testing';
import type { AnyModel } from '../src/next-item-model.ts';
import { inferenceBatch } from './ask.ts';

export type Scores = Map<number, number>[];

/** The scores of all items at every target of a batch, as item id → score. */
export function scoresOf(model: AnyModel, batch: SessionBatch): Scores {
  const numItems = model.numRows - FIRST_ITEM_ID;
  const top = model.recommend(batch, numItems);
  return [...batch.targets.positions].map((_, n) => {
    const places = Array.from({ length: numItems }, (_, place) => n * numItems + place);
    return new Map(places.map((i) => [top.itemIds[i], top.scores[i]] as const));
  });
}

/** The scores of all items after every part of every session, from its first event on. */
export function scoresAfterEveryEvent(model: AnyModel, sessions: readonly (readonly number[])[]): Scores {
  const parts = sessions.flatMap((session) => session.map((_, i) => session.slice(0, i + 1)));
  return scoresOf(model, inferenceBatch(model, parts));
}

export function expectSameScores(actual: Scores, expected: Scores, tolerance = 1e-5): void {
  expect(actual).toHaveLength(expected.length);
  actual.forEach((scores, n) => {
    const ids = [...expected[n].keys()];
    assertClose(
      `scores of question ${n}`,
      ids.map((id) => scores.get(id) ?? Number.NaN),
      ids.map((id) => expected[n].get(id) ?? Number.NaN),
      tolerance,
    );
  });
}
