import { FIRST_ITEM_ID, packSessions, type SessionBatch } from '@nimue/batch';
import type { NeuralModel } from '@nimue/models';
import { readNumbers, topK } from '@nimue/ops';
import { visibleLength } from '@nimue/trainer';
import * as tf from '@tensorflow/tfjs';
import type { OpenedModel } from '../open-model.ts';
import { dequantizeRows, quantizeRows } from './quantize-rows.ts';

/** What item vectors of one byte per number change, on random sessions of random items. */
export interface Int8Loss {
  readonly numSessions: number;
  /** Lists of so many items are compared. */
  readonly k: number;
  /** Share of a list's items that stay in it. */
  readonly shareOfTopKept: number;
  /** Share of sessions whose best item stays the best. */
  readonly shareOfBestKept: number;
  /** Largest change of the score of an item of a list, as a share of the distance between its best and its last. */
  readonly largestScoreChange: number;
}

const NUM_SESSIONS = 256;
const LONGEST = 10;

/**
 * Measures it. The model's item vectors are replaced for it, and put back.
 *
 * @param random numbers in [0, 1)
 */
export function measureInt8Loss(
  { manifest, objective }: OpenedModel,
  model: NeuralModel,
  random: () => number,
): Int8Loss {
  const numItems = model.numRows - FIRST_ITEM_ID;
  const k = Math.min(20, numItems);
  const limit = (visibleLength(model, manifest.maxLength) ?? LONGEST) - objective.numAppended;
  const sessions = Array.from({ length: NUM_SESSIONS }, () =>
    Array.from(
      { length: 1 + Math.floor(random() * Math.min(LONGEST, limit)) },
      () => FIRST_ITEM_ID + Math.floor(random() * numItems),
    ),
  );
  const batch = objective.createInferenceBatch(withColumns(packSessions(sessions), manifest.columns, random));
  const before = model.parameters.read();
  const table = readNumbers(() => model.itemTable());
  const width = table.length / model.numRows;
  const bias = model.itemBias();
  const best = (output: Float32Array) => {
    const hidden = tf.tidy(() => model.encodeTargets?.(batch, { training: false }) as tf.Tensor2D);
    const rows = tf.tensor2d(output, [model.numRows, width]);
    try {
      return topK(hidden, rows, k, { bias });
    } finally {
      tf.dispose([hidden, rows]);
    }
  };
  const exact = best(table);
  let rounded: ReturnType<typeof best>;
  try {
    const values = new Map(before);
    for (const name of ['items', 'outputItems']) {
      const weights = before.get(name);
      if (weights) values.set(name, roundedRows(weights, model.parameters.variable(name).shape[1] ?? 1));
    }
    model.parameters.write(values);
    rounded = best(roundedRows(table, width));
  } finally {
    model.parameters.write(before);
  }
  let kept = 0;
  let keptBest = 0;
  let largestScoreChange = 0;
  for (let s = 0; s < NUM_SESSIONS; s++) {
    const part = <Array extends Int32Array | Float32Array>(values: Array) => values.subarray(s * k, (s + 1) * k);
    const [ids, others] = [part(exact.itemIds), part(rounded.itemIds)];
    const [scores, otherScores] = [part(exact.scores), part(rounded.scores)];
    if (ids[0] === others[0]) keptBest++;
    const spread = scores[0] - scores[k - 1] || 1;
    ids.forEach((id, place) => {
      const found = others.indexOf(id);
      if (found < 0) return;
      kept++;
      largestScoreChange = Math.max(largestScoreChange, Math.abs(otherScores[found] - scores[place]) / spread);
    });
  }
  return {
    numSessions: NUM_SESSIONS,
    k,
    shareOfTopKept: kept / (NUM_SESSIONS * k),
    shareOfBestKept: keptBest / NUM_SESSIONS,
    largestScoreChange,
  };
}

function roundedRows(values: Float32Array, width: number): Float32Array {
  return dequantizeRows(quantizeRows(values, width), width);
}

/** Columns of random values, and an event every minute. */
function withColumns(
  batch: SessionBatch,
  columns: OpenedModel['manifest']['columns'],
  random: () => number,
): SessionBatch {
  const { length } = batch.itemIds;
  const features = Object.fromEntries(
    columns.map((column) => [
      column.name,
      column.kind === 'category'
        ? Int32Array.from({ length }, () => Math.floor(random() * column.numValues))
        : Float32Array.from({ length }, () => 2 * random() - 1),
    ]),
  );
  const timestampsMs = Float64Array.from({ length }, (_, i) => i * 60_000);
  return { ...batch, timestampsMs, ...(columns.length > 0 && { features }) };
}
