import { FIRST_ITEM_ID } from '@nimue/batch';
import type { Scalar, Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { assertIndices, assertShape } from './assert-args.ts';
import { type ExcludedItems, fusedKernel, type LogQ, type SampledForm, type SampledHeadArgs } from './fused-kernels.ts';
import { gatherRows } from './gather-rows.ts';
import { product } from './products.ts';
import { assertExcluded } from './rank-of-target.ts';
import { distinctRows, isByRows, pickRows } from './row-gradients.ts';
import {
  binaryLosses,
  bprLosses,
  bprMaxLosses,
  type CandidateLogits,
  sampledSoftmaxLosses,
  throughElu,
  throughTanh,
  top1Losses,
  top1MaxLosses,
} from './sampled-losses.ts';
import { assertTargets, scaleBy } from './softmax-head.ts';
import { ofRows, weightedRows } from './weighted-rows.ts';
import { withGradient } from './with-gradient.ts';

/**
 * Item ids to tell the target from: one list [K] for the whole batch, of which a row leaves out its target and the items that are
 * `excluded` for it, such as those of its session; or K for every row [N · K].
 */
export type Negatives =
  | { readonly shared: Int32Array; readonly excluded?: ExcludedItems }
  | { readonly own: Int32Array };

export interface SampledHeadOptions {
  readonly negatives: Negatives;
  /** Default `softmax`. */
  readonly form?: SampledForm;
  /** Added to every item's logit [V]. */
  readonly bias?: Tensor1D;
  /** How much each row counts [N], finite and ≥ 0: the loss is then Σₙ wₙ lossₙ / Σₙ wₙ. All alike when absent. */
  readonly weights?: Float32Array;
  /** Log probabilities with which the candidates were drawn; subtracted from their logits. */
  readonly logQ?: LogQ;
  /** `gbce` only: t in [0, 1]; 0 is plain BCE, 1 makes the scores probabilities again. Default 0.75. */
  readonly calibration?: number;
  /** `bprMax` only: weight λ ≥ 0 of the penalty on the negatives' scores. Default 1. */
  readonly bpreg?: number;
  /** Pairwise forms only: α ≥ 0 of the exponential linear unit that the scores pass through first; 0 is none. Default 0. */
  readonly elu?: number;
  /** Pairwise forms only: the scores pass through tanh first, which stands alone, without `elu`. Default false. */
  readonly tanh?: boolean;
}

const FORMS: readonly SampledForm[] = ['softmax', 'bce', 'gbce', 'bpr', 'bprMax', 'top1', 'top1Max'];

/**
 * Mean loss of telling the next item from k sampled negatives, with the item table as output layer. With
 * s = hidden · table[target] + bias − log Q(target), zⱼ the same of negative j, and w = softmax of z over the negatives:
 *
 * | form | loss of a row | paper |
 * |---|---|---|
 * | `softmax` | −log( eˢ / (eˢ + Σⱼ exp zⱼ) ) | Bengio & Senécal 2008 (with `logQ`) |
 * | `bce` | −log σ(s) − Σⱼ log(1 − σ(zⱼ)) | Kang & McAuley 2018 (SASRec) |
 * | `gbce` | −β log σ(s) − Σⱼ log(1 − σ(zⱼ)), β = α (t (1 − 1/α) + 1/α), α = K / (number of items − 1) | Petrov & Macdonald 2023 (gSASRec) |
 * | `bpr` | 1/K Σⱼ −log σ(s − zⱼ) | Rendle et al. 2009, Hidasi et al. 2016 |
 * | `bprMax` | −log Σⱼ wⱼ σ(s − zⱼ) + λ Σⱼ wⱼ zⱼ² | Hidasi & Karatzoglou 2018 |
 * | `top1` | 1/K Σⱼ ( σ(zⱼ − s) + σ(zⱼ²) ) | Hidasi et al. 2016 |
 * | `top1Max` | Σⱼ wⱼ ( σ(zⱼ − s) + σ(zⱼ²) ) | Hidasi & Karatzoglou 2018 |
 *
 * A negative that is the row's own target, or excluded for the row, takes no part: K of `bpr` and `top1` counts the others, and the four pairwise
 * losses are 0 where none is left. Repeated negatives count every time. With `elu` α > 0 the pairwise losses see α (eˣ − 1) in place of
 * every score x below 0 (GRU4Rec's `elu-α`), with `tanh` tanh x in place of every score. Divided by the number of targets N; 0 when N = 0.
 *
 * Differs from the papers: `gbce` never takes α above 1, and `bprMax` sums logarithms where the authors' code adds 1e-24.
 *
 * @example
 * // three items that score alike, one target and two negatives: −ln ⅓
 * const negatives = { shared: Int32Array.of(4, 5) };
 * sampledHead(tf.zeros([1, 2]), tf.ones([6, 2]), Int32Array.of(3), { negatives }).dataSync() // → Float32Array [1.098…]
 * @param hidden [N, D]
 * @param table [V, D], row = item id
 * @param targetIds [N], each ≥ FIRST_ITEM_ID
 * @throws when a target or a negative is a reserved id or outside the table
 */
export function sampledHead(
  hidden: Tensor2D,
  table: Tensor2D,
  targetIds: Int32Array,
  options: SampledHeadOptions,
): Scalar {
  const { bias, logQ, form = 'softmax', calibration = 0.75, bpreg = 1, elu = 0, tanh = false, weights } = options;
  assertShape('sampledHead', 'hidden', hidden, [-1, -1]);
  assertShape('sampledHead', 'table', table, [-1, hidden.shape[1]]);
  if (bias) assertShape('sampledHead', 'bias', bias, [table.shape[0]]);
  assertIndices('sampledHead', 'targetIds', targetIds, table.shape[0]);
  assertTargets('sampledHead', hidden, targetIds);
  if (!FORMS.includes(form)) throw new Error(`sampledHead: form is '${form}', expected ${FORMS.join(', ')}`);
  if (!(calibration >= 0 && calibration <= 1)) {
    throw new Error(`sampledHead: calibration must be in [0, 1], got ${calibration}`);
  }
  if (!(bpreg >= 0 && bpreg < Number.POSITIVE_INFINITY)) {
    throw new Error(`sampledHead: bpreg must be ≥ 0 and finite, got ${bpreg}`);
  }
  if (!(elu >= 0 && elu < Number.POSITIVE_INFINITY)) {
    throw new Error(`sampledHead: elu must be ≥ 0 and finite, got ${elu}`);
  }
  if (tanh && elu > 0) throw new Error(`sampledHead: scores pass through tanh or elu, got tanh and elu ${elu}`);
  const numRows = hidden.shape[0];
  const { isShared, negativeIds, numNegatives } = readNegatives(options.negatives, numRows, table.shape[0]);
  if (logQ) {
    assertLogQ('targets', logQ.targets, numRows);
    assertLogQ('negatives', logQ.negatives, negativeIds.length);
  }
  if (weights) {
    const { weights: _, ...same } = options;
    return weightedRows('sampledHead', hidden, weights, (some, rows) => {
      if (!rows) return sampledHead(some, table, targetIds, same);
      return sampledHead(some, table, ofRows(targetIds, rows), { ...same, ...candidatesOf(same, rows, numNegatives) });
    });
  }
  if (numRows === 0) {
    return withGradient(
      [hidden, table, bias],
      () => ({ value: tf.scalar(0) }),
      (_dy, inputs) => inputs.map((input) => input && tf.zerosLike(input as Tensor)),
    );
  }
  const positivePower = form === 'gbce' ? gbcePower(numNegatives, table.shape[0] - FIRST_ITEM_ID, calibration) : 1;
  const excludedPlaces = placesOfExcluded(options.negatives, numRows, table.shape[0]);
  const rest = {
    targetIds,
    negativeIds,
    numNegatives,
    isShared,
    excludedPlaces,
    logQ,
    form,
    positivePower,
    bpreg,
    elu,
    tanh,
  };
  if (!isByRows(table)) return meanLoss({ hidden, table, bias, ...rest });
  const { rows, places } = distinctRows([targetIds, negativeIds], table.shape[0]);
  return meanLoss({
    ...rest,
    hidden,
    table: pickRows(table, rows),
    bias: bias && pickBias(bias, rows),
    targetIds: places[0],
    negativeIds: places[1],
  });
}

/** The candidates of some rows: a shared list stays whole. */
function candidatesOf(
  { negatives, logQ }: Pick<SampledHeadOptions, 'negatives' | 'logQ'>,
  rows: Int32Array,
  numNegatives: number,
): Pick<SampledHeadOptions, 'negatives' | 'logQ'> {
  if ('own' in negatives) {
    return {
      negatives: { own: ofRows(negatives.own, rows, numNegatives) },
      logQ: logQ && {
        targets: ofRows(logQ.targets, rows),
        negatives: ofRows(logQ.negatives, rows, numNegatives),
      },
    };
  }
  const { shared, excluded } = negatives;
  const ofTargets = logQ && { targets: ofRows(logQ.targets, rows), negatives: logQ.negatives };
  if (!excluded) return { negatives, logQ: ofTargets };
  const offsets = new Int32Array(rows.length + 1);
  rows.forEach((row, r) => {
    offsets[r + 1] = offsets[r] + excluded.offsets[row + 1] - excluded.offsets[row];
  });
  const itemIds = new Int32Array(offsets[rows.length]);
  rows.forEach((row, r) => {
    itemIds.set(excluded.itemIds.subarray(excluded.offsets[row], excluded.offsets[row + 1]), offsets[r]);
  });
  return { negatives: { shared, excluded: { offsets, itemIds } }, logQ: ofTargets };
}

function pickBias(bias: Tensor1D, rows: Int32Array): Tensor1D {
  if (isByRows(bias)) return pickRows(bias, rows);
  return tf.reshape(gatherRows(tf.reshape(bias, [-1, 1]) as Tensor2D, rows), [-1]) as Tensor1D;
}

function meanLoss({ hidden, table, bias, ...rest }: SampledHeadArgs): Scalar {
  const fused = fusedKernel('sampledHead');
  if (!fused) return sampledHeadReference({ hidden, table, bias, ...rest });
  const withGradients = tf.engine().state.gradientDepth > 0;
  return withGradient(
    [hidden, table, bias],
    ([hidden, table, bias]) => {
      const result = fused({ hidden, table, bias, ...rest, withGradients });
      const saved = [result.hidden, result.table, result.bias].filter((g) => g !== undefined);
      return { value: result.loss, saved };
    },
    (dy, _inputs, saved) => saved.map((gradient) => scaleBy(gradient, dy)),
  );
}

/** β = α (t (1 − 1/α) + 1/α) = 1 − t (1 − α), Petrov & Macdonald 2023. */
function gbcePower(numNegatives: number, numItems: number, calibration: number): number {
  const samplingRate = Math.min(1, numNegatives / Math.max(1, numItems - 1));
  return 1 - calibration * (1 - samplingRate);
}

function readNegatives(negatives: Negatives, numRows: number, numIds: number) {
  const isShared = 'shared' in negatives;
  const name = isShared ? 'negatives.shared' : 'negatives.own';
  const negativeIds = isShared ? negatives.shared : negatives.own;
  assertIndices('sampledHead', name, negativeIds, numIds);
  const reserved = negativeIds.findIndex((id) => id < FIRST_ITEM_ID);
  if (reserved >= 0) throw new Error(`sampledHead: ${name}[${reserved}] is the reserved id ${negativeIds[reserved]}`);
  const numNegatives = isShared ? negativeIds.length : negativeIds.length / Math.max(1, numRows);
  if (!isShared && (numRows === 0 ? negativeIds.length > 0 : !Number.isInteger(numNegatives))) {
    throw new Error(`sampledHead: ${name} has ${negativeIds.length} ids, expected the same number for ${numRows} rows`);
  }
  if (numNegatives === 0 && numRows > 0) throw new Error(`sampledHead: ${name} is empty, expected at least one id`);
  return { isShared, negativeIds, numNegatives };
}

/** Where the excluded items of every row stand in the shared list; undefined where nothing is excluded. */
function placesOfExcluded(negatives: Negatives, numRows: number, numIds: number): SampledHeadArgs['excludedPlaces'] {
  if (!('shared' in negatives) || !negatives.excluded) return undefined;
  const { shared, excluded } = negatives;
  assertExcluded('sampledHead', excluded, numRows, numIds);
  // Places of each id as a chain, 1 more than the place, and their number: millions of ids are looked up in a step.
  const firstOf = new Int32Array(numIds);
  const countOf = new Int32Array(numIds);
  const nextOf = new Int32Array(shared.length);
  for (let place = shared.length - 1; place >= 0; place--) {
    nextOf[place] = firstOf[shared[place]];
    firstOf[shared[place]] = place + 1;
    countOf[shared[place]]++;
  }
  const { itemIds } = excluded;
  const offsets = new Int32Array(numRows + 1);
  for (let n = 0; n < numRows; n++) {
    let end = offsets[n];
    for (let i = excluded.offsets[n]; i < excluded.offsets[n + 1]; i++) end += countOf[itemIds[i]];
    offsets[n + 1] = end;
  }
  const places = new Int32Array(offsets[numRows]);
  for (let i = 0, at = 0; i < itemIds.length; i++) {
    for (let place = firstOf[itemIds[i]]; place > 0; place = nextOf[place - 1]) places[at++] = place - 1;
  }
  return { offsets, places };
}

function assertLogQ(name: string, values: Float32Array, length: number): void {
  if (!(values instanceof Float32Array)) throw new Error(`sampledHead: logQ.${name} must be a Float32Array`);
  if (values.length !== length) {
    throw new Error(`sampledHead: logQ.${name} has ${values.length} values, expected ${length}`);
  }
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) throw new Error(`sampledHead: logQ.${name}[${bad}] is ${values[bad]}, expected a finite number`);
}

/** The formulas on plain operations; TensorFlow.js derives the gradients. */
function sampledHeadReference(args: SampledHeadArgs): Scalar {
  return tf.tidy(() => tf.mean(rowLosses(args, candidateLogits(args))));
}

function rowLosses(args: SampledHeadArgs, logits: CandidateLogits): Tensor2D {
  const { form, positivePower, bpreg, elu, tanh } = args;
  const bend = () => (tanh ? throughTanh(logits) : elu > 0 ? throughElu(logits, elu) : logits);
  switch (form) {
    case 'softmax':
      return sampledSoftmaxLosses(logits);
    case 'bce':
    case 'gbce':
      return binaryLosses(logits, positivePower);
    case 'bpr':
      return bprLosses(bend());
    case 'bprMax':
      return bprMaxLosses(bend(), bpreg);
    case 'top1':
      return top1Losses(bend());
    case 'top1Max':
      return top1MaxLosses(bend());
  }
}

function candidateLogits(args: SampledHeadArgs): CandidateLogits {
  const { hidden, table, bias, targetIds, negativeIds, numNegatives, isShared, excludedPlaces, logQ } = args;
  const [numRows, width] = hidden.shape;
  const negativeShape: [number, number] = [isShared ? 1 : numRows, numNegatives];
  let target: Tensor = tf.sum(tf.mul(hidden, gatherRows(table, targetIds)), 1, true);
  const items = gatherRows(table, negativeIds);
  let negatives: Tensor;
  if (isShared) {
    negatives = product(hidden, items, false, true);
  } else {
    const perRow = tf.reshape(items, [numRows, numNegatives, width]);
    negatives = tf.sum(tf.mul(perRow, tf.reshape(hidden, [numRows, 1, width])), 2);
  }
  if (bias) {
    const column = tf.reshape(bias, [-1, 1]) as Tensor2D;
    target = tf.add(target, gatherRows(column, targetIds));
    negatives = tf.add(negatives, tf.reshape(gatherRows(column, negativeIds), negativeShape));
  }
  if (logQ) {
    target = tf.sub(target, tf.tensor2d(logQ.targets, [numRows, 1]));
    negatives = tf.sub(negatives, tf.tensor2d(logQ.negatives, negativeShape));
  }
  const isValid = new Float32Array(numRows * numNegatives);
  for (let n = 0; n < numRows; n++) {
    for (let k = 0; k < numNegatives; k++) {
      const negative = negativeIds[isShared ? k : n * numNegatives + k];
      isValid[n * numNegatives + k] = negative === targetIds[n] ? 0 : 1;
    }
    if (!excludedPlaces) continue;
    const { offsets, places } = excludedPlaces;
    for (let i = offsets[n]; i < offsets[n + 1]; i++) isValid[n * numNegatives + places[i]] = 0;
  }
  return {
    target: target as Tensor2D,
    negatives: negatives as Tensor2D,
    isValid: tf.tensor2d(isValid, [numRows, numNegatives]),
  };
}
