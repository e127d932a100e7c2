import { packSessions } from '@nimue/batch';
import { createRandom } from '@nimue/testing';
import { rankByScores, recommendByScores, type ScoreItems } from './rank-by-scores.ts';

const FIRST = 3;

/** The list by its definition: everything sorted. */
function sortedList(scores: Float64Array, hidden: Set<number>, k: number) {
  const rounded = Float32Array.from(scores);
  const ids = Array.from(rounded.keys()).filter((id) => id >= FIRST && !hidden.has(id));
  return ids.sort((a, b) => rounded[b] - rounded[a] || a - b).slice(0, k);
}

test('a model that says which items it scored gives the lists and ranks of one that does not', () => {
  const random = createRandom(3);
  const draw = (below: number) => Math.floor(below * random());
  for (let round = 0; round < 300; round++) {
    const numRows = FIRST + 1 + draw(40);
    const numTargets = draw(5);
    const drawIds = (count: number) => [...new Set(Array.from({ length: count }, () => FIRST + draw(numRows - FIRST)))];
    // Ties, zeros, scores below 0, and some that are 0 as float32 alone.
    const values = [-1, 0, 1e-60, 0.25, 1 / 3, 1 / 3 + 1e-12, 2];
    const scoredIds = Array.from({ length: numTargets }, () => drawIds(draw(12)));
    const scoresOf = scoredIds.map((ids) => {
      const scores = new Float64Array(numRows);
      for (const id of ids) scores[id] = values[draw(values.length)];
      return scores;
    });
    const dense: ScoreItems = (_batch, position, scores) => {
      // Zeros are what a model finds, whatever came before.
      expect(scores.every((score) => score === 0)).toBe(true);
      scores.set(scoresOf[position]);
    };
    const sparse: ScoreItems = (batch, position, scores, onlyScored) => {
      dense(batch, position, scores, onlyScored);
      onlyScored(Int32Array.from(scoredIds[position]));
    };
    const batch = packSessions(
      Array.from({ length: numTargets }, () => [FIRST]),
      {
        positions: Int32Array.from({ length: numTargets }, (_, n) => n),
        itemIds: Int32Array.from({ length: numTargets }, () => FIRST + draw(numRows - FIRST)),
      },
    );
    const excludedIds = Array.from({ length: numTargets }, () => drawIds(draw(4)));
    const offsets = Int32Array.from([0, ...excludedIds.map((_, n) => excludedIds.slice(0, n + 1).flat().length)]);
    const excluded = random() < 0.5 ? { offsets, itemIds: Int32Array.from(excludedIds.flat()) } : undefined;
    const candidates = random() < 0.3 ? Int32Array.from(drawIds(10).sort((a, b) => a - b)) : undefined;
    const options = { excluded, candidates };
    const k = 1 + draw(candidates?.length ?? numRows - FIRST);
    const list = recommendByScores(sparse, numRows, batch, k, options);
    expect(list).toEqual(recommendByScores(dense, numRows, batch, k, options));
    scoresOf.forEach((scores, n) => {
      const hidden = new Set(excluded ? excludedIds[n] : []);
      if (candidates) for (let id = FIRST; id < numRows; id++) if (!candidates.includes(id)) hidden.add(id);
      const expected = sortedList(scores, hidden, k);
      const found = [...list.itemIds.subarray(n * k, n * k + expected.length)];
      expect(found).toEqual(expected);
    });
    for (const ties of ['conservative', 'optimistic'] as const) {
      const ranks = rankByScores(sparse, numRows, batch, { ...options, ties });
      expect(ranks).toEqual(rankByScores(dense, numRows, batch, { ...options, ties }));
    }
  }
});

test('a score that is not finite is named, also where few are looked at', () => {
  const batch = packSessions([[3], [3]], { positions: Int32Array.of(0, 1), itemIds: Int32Array.of(4, 4) });
  const score: ScoreItems = (_batch, position, scores, onlyScored) => {
    scores[5] = position === 1 ? Number.NaN : 1;
    onlyScored(Int32Array.of(5));
  };
  expect(() => rankByScores(score, 9, batch, {}, 'mine')).toThrow('mine: the score of row 1, item id 5 is NaN');
  expect(() => recommendByScores(score, 9, batch, 1, {}, 'mine')).toThrow('mine: the score of row 1, item id 5 is NaN');
});
