import fc from 'fast-check';
import {
  accuracy,
  areaUnderCurve,
  logLoss,
  predictionMetrics,
  rootMeanSquaredError,
  standardDeviation,
} from './index.ts';

test('a yes among four, by hand', () => {
  const probabilities = [0.8, 0.5, 0.5, 0.1];
  const labels = [0, 1, 0, 0];
  const value = (metric: keyof typeof predictionMetrics.binary) =>
    predictionMetrics.binary[metric](probabilities, labels);
  // The yes is below .8, level with .5, above .1: (0 + ½ + 1) / 3
  expect(value('auc')).toBeCloseTo(0.5, 12);
  expect(value('logLoss')).toBeCloseTo(-Math.log(0.2 * 0.5 * 0.5 * 0.9) / 4, 12);
  expect(value('accuracy')).toBe(2 / 4);
  expect(value('shareOfYes')).toBe(1 / 4);
});

test('errors of numbers, by hand', () => {
  const value = (metric: keyof typeof predictionMetrics.regression) =>
    predictionMetrics.regression[metric]([1, 2, 3], [1, 4, 7]);
  expect(value('rmse')).toBeCloseTo(Math.sqrt((0 + 4 + 16) / 3), 12);
  expect(value('mae')).toBe(2);
  expect(value('deviation')).toBeCloseTo(Math.sqrt((9 + 0 + 9) / 3), 12);
});

// scikit-learn 1.9.1: roc_auc_score and log_loss of these
test('AUC and log loss are those of scikit-learn', () => {
  const probabilities = [0.1, 0.4, 0.35, 0.8, 0.4, 0.65, 0.2, 0.9];
  const labels = [0, 0, 1, 1, 1, 0, 0, 1];
  expect(areaUnderCurve(probabilities, labels)).toBeCloseTo(0.78125, 12);
  expect(logLoss(probabilities, labels)).toBeCloseTo(0.5229710923226967, 12);
});

const rated = fc.array(
  fc.record({ probability: fc.double({ min: 0, max: 1, noNaN: true }), label: fc.constantFrom(0, 1) }),
  { minLength: 1, maxLength: 30 },
);

test('AUC counts pairs; turned round it is what is missing to 1; it lies in [0, 1]', () => {
  fc.assert(
    fc.property(rated, (rows) => {
      const [probabilities, labels] = [rows.map(({ probability }) => probability), rows.map(({ label }) => label)];
      const pairs = rows.flatMap((a) =>
        rows.flatMap((b) =>
          a.label === 1 && b.label === 0 ? [Math.sign(a.probability - b.probability) / 2 + 0.5] : [],
        ),
      );
      const auc = areaUnderCurve(probabilities, labels);
      if (pairs.length === 0) return expect(auc).toBeNaN();
      expect(auc).toBeCloseTo(pairs.reduce((sum, won) => sum + won, 0) / pairs.length, 12);
      const turned = areaUnderCurve(
        probabilities,
        labels.map((label) => 1 - label),
      );
      expect(auc + turned).toBeCloseTo(1, 12);
    }),
  );
});

test('who always says the mean has the deviation as error; who is wrong and certain is not infinitely wrong', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: -9, max: 9, noNaN: true }), { minLength: 1 }), (labels) => {
      const mean = labels.reduce((sum, label) => sum + label, 0) / labels.length;
      const constant = labels.map(() => mean);
      expect(rootMeanSquaredError(constant, labels)).toBeCloseTo(standardDeviation(constant, labels), 9);
    }),
  );
  expect(logLoss([0], [1])).toBeCloseTo(-Math.log(1e-15), 9);
});

describe.each(Object.values(predictionMetrics).flatMap((kind) => Object.entries(kind)))('%s', (_name, metric) => {
  test('refuses other lengths, no labels and what is not finite', () => {
    expect(() => metric([0.5], [1, 0])).toThrow('1 predictions cannot be compared with 2 labels');
    expect(() => metric([], [])).toThrow('there are no labels');
    expect(() => metric([Number.NaN], [1])).toThrow('prediction 0 is NaN');
  });
});

test('labels and probabilities are checked', () => {
  expect(() => accuracy([0.5], [2])).toThrow('labels[0] is 2, expected 0 or 1');
  expect(() => areaUnderCurve([1.5], [1])).toThrow('predictions[0] is 1.5, expected a probability');
});
