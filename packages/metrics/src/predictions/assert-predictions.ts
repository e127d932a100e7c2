/** @throws when there are no predictions, not as many as labels, or one is not finite. */
export function assertPredictions(metric: string, predictions: ArrayLike<number>, labels: ArrayLike<number>): void {
  if (predictions.length !== labels.length) {
    throw new Error(`${metric}: ${predictions.length} predictions cannot be compared with ${labels.length} labels`);
  }
  if (labels.length === 0) throw new Error(`${metric}: there are no labels`);
  for (let n = 0; n < labels.length; n++) {
    if (Number.isFinite(predictions[n]) && Number.isFinite(labels[n])) continue;
    throw new Error(`${metric}: prediction ${n} is ${predictions[n]} and its label ${labels[n]}`);
  }
}

/** @throws when a label is neither 0 nor 1, or a prediction is no probability, too */
export function assertProbabilities(metric: string, predictions: ArrayLike<number>, labels: ArrayLike<number>): void {
  assertPredictions(metric, predictions, labels);
  for (let n = 0; n < labels.length; n++) {
    if (labels[n] !== 0 && labels[n] !== 1) throw new Error(`${metric}: labels[${n}] is ${labels[n]}, expected 0 or 1`);
    if (predictions[n] < 0 || predictions[n] > 1) {
      throw new Error(`${metric}: predictions[${n}] is ${predictions[n]}, expected a probability`);
    }
  }
}
