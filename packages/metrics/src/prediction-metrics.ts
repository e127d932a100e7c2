// One line per metric of heads that say something else than an item, by the kind of the head; the key is its name in tables.
import { accuracy, shareOfYes } from './predictions/accuracy.ts';
import { areaUnderCurve } from './predictions/auc.ts';
import { meanAbsoluteError, rootMeanSquaredError, standardDeviation } from './predictions/errors-of-numbers.ts';
import { logLoss } from './predictions/log-loss.ts';

/** (predictions [N], labels [N]) → one number. */
export type PredictionMetric = (predictions: ArrayLike<number>, labels: ArrayLike<number>) => number;

export const predictionMetrics = {
  binary: { auc: areaUnderCurve, logLoss, accuracy, shareOfYes },
  regression: { rmse: rootMeanSquaredError, mae: meanAbsoluteError, deviation: standardDeviation },
} as const satisfies Readonly<Record<string, Readonly<Record<string, PredictionMetric>>>>;
