import {
  type EncodedSessions,
  encodeSessions,
  type FeaturePipeline,
  type ItemVocabulary,
  type Sessions,
  takeApart,
  WEIGHT_COLUMN,
  type WindowedDataset,
  weightsOfEvents,
} from '@nimue/data';

/** Sessions as models that count take them: how much an event counts, where that is known, is no column but `eventWeights`. */
export function encodeCounted(
  part: Sessions,
  vocabulary: ItemVocabulary,
  dataset: WindowedDataset,
  pipeline?: FeaturePipeline,
): EncodedSessions {
  const made = pipeline?.transform(part, dataset);
  const weight = weightColumnOf(part);
  if (!weight) return encodeSessions(part, vocabulary, { unknown: 'skip', features: made });
  // The weights go the way of the columns, past the items that are left out.
  const { features, ...encoded } = encodeSessions(part, vocabulary, {
    unknown: 'skip',
    features: { ...made, ...weight },
  });
  const { inputs, weights } = takeApart(features);
  return { ...encoded, ...(made && { features: inputs }), eventWeights: Float32Array.from(weights ?? []) };
}

/** The column that becomes the weights of targets, where the sessions were prepared with `sessions.eventWeights`. */
export function weightColumnOf(part: Sessions): Record<string, Float32Array> | undefined {
  const weights = weightsOfEvents(part);
  return weights && { [WEIGHT_COLUMN]: Float32Array.from(weights) };
}
