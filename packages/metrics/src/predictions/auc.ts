import { assertProbabilities } from './assert-predictions.ts';

/**
 * Area under the ROC curve: the probability that a yes is rated above a no, ties counting one half (the Mann-Whitney
 * statistic; Hanley & McNeil 1982). NaN when all labels are the same: there is no pair.
 *
 * @param probabilities [N] of yes
 * @param labels [N] of 0 and 1
 *
 * @example
 * areaUnderCurve([0.9, 0.4, 0.4, 0.1], [1, 1, 0, 0]); // → 0.875
 */
export function areaUnderCurve(probabilities: ArrayLike<number>, labels: ArrayLike<number>): number {
  assertProbabilities('areaUnderCurve', probabilities, labels);
  const order = Array.from(labels, (_, n) => n).sort((a, b) => probabilities[a] - probabilities[b]);
  let rankSum = 0;
  let numYes = 0;
  for (let from = 0; from < order.length; ) {
    let to = from;
    let yesInTie = 0;
    for (; to < order.length && probabilities[order[to]] === probabilities[order[from]]; to++) {
      yesInTie += labels[order[to]];
    }
    // Ranks from + 1 … to, shared by all that tie.
    rankSum += (yesInTie * (from + 1 + to)) / 2;
    numYes += yesInTie;
    from = to;
  }
  const numNo = order.length - numYes;
  if (numYes === 0 || numNo === 0) return Number.NaN;
  return (rankSum - (numYes * (numYes + 1)) / 2) / (numYes * numNo);
}
