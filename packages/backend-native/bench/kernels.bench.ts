// Times every kernel at the sizes of the targets and prints one JSON line per row:
//   node --conditions=@nimue/source --import ./bench/register-ts.mjs bench/kernels.bench.ts [name …]
import * as ops from '@nimue/ops';
import type { Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { nativeAddon, registerNativeBackend } from '../src/register-native-backend.ts';
import { measure, peakMemoryMb } from './measure.ts';
import { sessionLengths } from './sasrec-step.ts';

interface Row {
  readonly name: string;
  /** Floating-point operations that cannot be avoided; 0 where memory is the limit. */
  readonly flops: number;
  readonly body: () => void;
  readonly tensors: readonly Tensor[];
  readonly seconds?: number;
  /** Key of an earlier row; its time over this one's is printed when both are measured. */
  readonly comparedWith?: string;
}

let seed = 1;
const random = (...shape: number[]): Tensor => tf.randomNormal(shape, 0, 0.1, 'float32', seed++);
const ids = (count: number, end: number): Int32Array =>
  Int32Array.from({ length: count }, (_, i) => 3 + (ops.deriveSeed(seed, i) % (end - 3)));

/** The op and its gradients for a given gradient of its output: neither side pays for making one. */
function withGradients(
  name: string,
  flops: number,
  tensors: Tensor[],
  op: (...t: Tensor[]) => Tensor,
  seconds = 1,
): Row {
  const gradients = tf.grads(op);
  const outputGradient = random(...tf.tidy(() => op(...tensors)).shape);
  return { name, flops, tensors, seconds, body: () => tf.tidy(() => void gradients(tensors, outputGradient)) };
}

function offsetsOf(lengths: readonly number[]): Int32Array {
  const offsets = new Int32Array(lengths.length + 1);
  lengths.forEach((length, b) => {
    offsets[b + 1] = offsets[b] + length;
  });
  return offsets;
}

function head(rows: number, width: number, items: number, seconds = 2): Row {
  const targets = ids(rows, items + 3);
  const gradients = tf.grads((h: Tensor, w: Tensor) => ops.softmaxHead(h as Tensor2D, w as Tensor2D, targets));
  const tensors = [random(rows, width), random(items + 3, width)];
  return {
    name: `softmax head ${rows} × ${width}, V ${items}`,
    flops: 6 * rows * width * items,
    tensors,
    seconds,
    body: () => tf.tidy(() => void gradients(tensors)),
  };
}

function sampledHead(rows: number, width: number, items: number, numNegatives: number): Row {
  const targets = ids(rows, items + 3);
  const negatives = { shared: ids(numNegatives, items + 3) };
  const gradients = tf.grads((h: Tensor, w: Tensor) =>
    ops.sampledHead(h as Tensor2D, w as Tensor2D, targets, { negatives }),
  );
  const tensors = [random(rows, width), random(items + 3, width)];
  return {
    name: `sampled head ${rows} × ${width}, V ${items}, ${numNegatives} shared negatives`,
    flops: 6 * rows * width * (numNegatives + 1),
    tensors,
    comparedWith: 'head-400k',
    body: () => tf.tidy(() => void gradients(tensors)),
  };
}

/** A feed-forward layer's first half at the size of the long sessions, in either precision. */
function linear(precision: ops.ProductPrecision): Row {
  const [rows, inputs, outputs] = [21_120, 64, 256];
  const row = withGradients(
    `linear ${rows} × ${inputs} → ${outputs}, GELU${precision === 'bfloat16' ? ', bf16 operands' : ''}`,
    6 * rows * inputs * outputs,
    [random(rows, inputs), random(inputs, outputs), random(outputs)],
    (x, w, b) => ops.linear(x as Tensor2D, w as Tensor2D, b as Tensor1D, 'gelu'),
  );
  return { ...row, body: () => ops.withProductPrecision(precision, row.body) };
}

function attention(numSessions: number, maxLength: number, meanLength: number, width: number, numHeads: number): Row {
  const offsets = offsetsOf(sessionLengths({ numSessions, maxLength, meanLength }));
  const total = offsets[numSessions];
  return withGradients(
    `attention B${numSessions} max ${maxLength} mean ${meanLength} d${width} H${numHeads}, dropout .2`,
    0,
    [random(total, width), random(total, width), random(total, width)],
    (q, k, v) =>
      ops.jaggedAttention(q as Tensor2D, k as Tensor2D, v as Tensor2D, offsets, {
        numHeads,
        causal: true,
        dropout: { rate: 0.2, seed: 7 },
      }),
  );
}

/** The same long sessions with what a model adds to plain attention: a mask, a bias by distance, or HSTU's weights. */
function attentionVariant(name: 'masked' | 'biased' | 'silu'): Row {
  const numHeads = 2;
  const offsets = offsetsOf(sessionLengths({ numSessions: 128, maxLength: 200, meanLength: 165 }));
  const total = offsets[128];
  let size = 0;
  for (let b = 0; b < 128; b++) size += (offsets[b + 1] - offsets[b]) ** 2;
  // Two of three pairs, whichever: what a permutation language model or a span mask leaves.
  const mask = name === 'masked' ? Uint8Array.from({ length: size }, (_, i) => (i % 3 === 2 ? 0 : 1)) : undefined;
  const bias = name === 'masked' ? [] : [random(2 * 199 + 1, numHeads)];
  const label = { masked: 'any mask', biased: 'bias by distance', silu: 'silu weights, bias by distance (HSTU)' }[name];
  return withGradients(
    `attention B128 max 200 mean 165 d64 H${numHeads}, ${label}`,
    0,
    [random(total, 64), random(total, 64), random(total, 64), ...bias],
    (q, k, v, relativeBias) =>
      ops.jaggedAttention(q as Tensor2D, k as Tensor2D, v as Tensor2D, offsets, {
        numHeads,
        causal: name !== 'masked',
        kind: name === 'silu' ? 'silu' : 'softmax',
        mask,
        relativeBias: relativeBias as Tensor2D | undefined,
      }),
  );
}

function gru(name: string, lengths: number[], width: number): Row {
  const offsets = offsetsOf(lengths);
  const total = offsets[lengths.length];
  return withGradients(
    name,
    36 * total * width * width,
    [random(total, width), random(width, 3 * width), random(width, 3 * width), random(3 * width), random(3 * width)],
    (x, inputWeights, recurrentWeights, inputBias, recurrentBias) =>
      ops.gru(x as Tensor2D, offsets, {
        inputWeights: inputWeights as Tensor2D,
        recurrentWeights: recurrentWeights as Tensor2D,
        inputBias: inputBias as Tensor1D,
        recurrentBias: recurrentBias as Tensor1D,
      }),
  );
}

/** One optimizer step on a table, on all of it or on `numTouched` of its rows. */
function optimizer(name: 'adam' | 'adagrad' | 'sgd', numRows: number, width: number, numTouched?: number): Row {
  const parameter = tf.variable(random(numRows, width));
  const [first, second] = [0, 1].map(() => tf.variable(tf.zerosLike(parameter), false));
  const gradient = random(numTouched ?? numRows, width);
  // Every 77th row or so, out of order: what the sessions of a step look up.
  const rows =
    numTouched === undefined ? undefined : Int32Array.from({ length: numTouched }, (_, i) => (i * 77) % numRows);
  const rest = { parameter, gradient, rows, learningRate: 1e-3, weightDecay: 0 };
  let step = 0;
  const bodies = {
    adam: () =>
      ops.adam({ ...rest, moment1: first, moment2: second, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, step: ++step }),
    adagrad: () => ops.adagrad({ ...rest, accumulator: first, velocity: second, momentum: 0.9, epsilon: 1e-6 }),
    sgd: () => ops.sgd({ ...rest, velocity: first, momentum: 0.9 }),
  };
  const label = { adam: 'Adam', adagrad: 'Adagrad with momentum', sgd: 'SGD with momentum' }[name];
  return {
    name: `${label}, ${numTouched === undefined ? 'dense' : `${numTouched} touched rows`}, ${numRows} × ${width}`,
    flops: 0,
    tensors: [parameter, first, second, gradient],
    body: bodies[name],
  };
}

function scores(rows: number, width: number, items: number): Row {
  const [hidden, table] = [random(rows, width) as Tensor2D, random(items + 3, width) as Tensor2D];
  const targets = ids(rows, items + 3);
  return {
    name: `evaluation ${rows} × ${items}, d${width}: rank and top-20`,
    flops: 2 * rows * items * width,
    tensors: [hidden, table],
    body: () => void ops.rankAndTopK(hidden, table, targets, 20),
  };
}

const ROWS: Record<string, () => Row> = {
  matmul: () => {
    const [a, b] = [random(1024, 1024), random(1024, 1024)];
    return {
      name: 'matrix product 1024³',
      flops: 2 * 1024 ** 3,
      tensors: [a, b],
      body: () => tf.matMul(a, b).dispose(),
    };
  },
  'head-1280': () => head(1280, 64, 15316),
  'head-5000': () => head(5000, 128, 16000),
  'head-10000': () => head(10000, 64, 3416),
  'head-400k': () => head(2048, 64, 400_000, 10),
  'sampled-head-400k': () => sampledHead(2048, 64, 400_000, 256),
  linear: () => linear('float32'),
  'linear-bf16': () => linear('bfloat16'),
  'attention-short': () => attention(256, 20, 6, 128, 1),
  'attention-short-4': () => attention(256, 20, 6, 128, 4),
  'attention-long': () => attention(128, 200, 165, 64, 1),
  'attention-long-4': () => attention(128, 200, 165, 64, 4),
  'attention-masked': () => attentionVariant('masked'),
  'attention-biased': () => attentionVariant('biased'),
  'attention-silu': () => attentionVariant('silu'),
  'gru-full': () => gru('GRU B256 d128, full T20', Array<number>(256).fill(20), 128),
  'gru-packed': () =>
    gru('GRU B256 d128, packed, mean 5.6', sessionLengths({ numSessions: 256, maxLength: 20, meanLength: 5.6 }), 128),
  norm: () =>
    withGradients(
      'residual + dropout + layer norm 21,700 × 64',
      0,
      [random(21_700, 64), random(64), random(64), random(21_700, 64)],
      (x, gamma, beta, residual) =>
        ops.residualNorm(x as Tensor2D, gamma as Tensor1D, {
          beta: beta as Tensor1D,
          residual: residual as Tensor2D,
          dropout: { rate: 0.2, seed: 3 },
        }),
    ),
  adam: () => optimizer('adam', 400_000, 64),
  'adam-touched': () => optimizer('adam', 400_000, 64, 5000),
  adagrad: () => optimizer('adagrad', 400_000, 64),
  'adagrad-touched': () => optimizer('adagrad', 400_000, 64, 5000),
  sgd: () => optimizer('sgd', 400_000, 64),
  'sgd-touched': () => optimizer('sgd', 400_000, 64, 5000),
  scores: () => scores(2000, 128, 50_000),
  'scores-50k': () => ({ ...scores(50_000, 128, 50_000), seconds: 15 }),
};

const status = registerNativeBackend();
if (!status.available) throw new Error(status.reason);
tf.setBackend('native');
const peak = nativeAddon().measurePeak();
console.log(JSON.stringify({ key: 'machine', ...status, peakGflops: peak / 1e9 }));
const wanted = process.argv.slice(2);
const medians = new Map<string, number>();
for (const [key, create] of Object.entries(ROWS)) {
  if (wanted.length > 0 && !wanted.includes(key)) continue;
  const row = create();
  nativeAddon().takeScratchPeak();
  const timing = measure(row.body, { seconds: row.seconds });
  medians.set(key, timing.medianMs);
  const otherMs = row.comparedWith && medians.get(row.comparedWith);
  const gflops = row.flops > 0 ? row.flops / timing.bestMs / 1e6 : undefined;
  console.log(
    JSON.stringify({
      key,
      name: row.name,
      ...timing,
      gflops,
      ...(otherMs ? { timesFasterThan: { [row.comparedWith as string]: otherMs / timing.medianMs } } : {}),
      shareOfPeak: gflops && (gflops * 1e9) / peak,
      scratchMb: nativeAddon().takeScratchPeak() / 1e6,
      peakMemoryMb: peakMemoryMb(),
    }),
  );
  tf.dispose(row.tensors as Tensor[]);
}
