// Every op once more in plain JavaScript with double precision, written for reading: the yardstick of the C++ kernels.
import { type Dropout, keepHash, keepThreshold } from '@nimue/ops';

export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float64Array;
}

export function matrix(rows: number, columns: number, values: ArrayLike<number>): Matrix {
  return { rows, columns, values: Float64Array.from(values) };
}

function build(rows: number, columns: number, at: (row: number, column: number) => number): Matrix {
  const values = new Float64Array(rows * columns);
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) values[r * columns + c] = at(r, c);
  return { rows, columns, values };
}

const get = (m: Matrix, r: number, c: number): number => m.values[r * m.columns + c];

function keep({ rate, seed }: Dropout, row: number, column: number): number {
  if (rate === 0) return 1;
  return keepHash(seed, row, column) >= keepThreshold(rate) ? 1 / (1 - rate) : 0;
}

export function product(a: Matrix, b: Matrix): Matrix {
  return build(a.rows, b.columns, (r, c) => {
    let sum = 0;
    for (let k = 0; k < a.columns; k++) sum += get(a, r, k) * get(b, k, c);
    return sum;
  });
}

export function embed(
  table: Matrix,
  positionTable: Matrix,
  ids: Int32Array,
  positions: Int32Array,
  scale: number,
  dropout: Dropout,
): Matrix {
  return build(
    ids.length,
    table.columns,
    (t, d) => keep(dropout, t, d) * (scale * get(table, ids[t], d) + get(positionTable, positions[t], d)),
  );
}

/** Abramowitz & Stegun 7.1.6: erf as a power series, exact to double precision for the arguments of these tests. */
function erf(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; n < 200; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

export const activations: Readonly<Record<string, (x: number) => number>> = {
  none: (x) => x,
  relu: (x) => Math.max(0, x),
  gelu: (x) => (x * (1 + erf(x / Math.SQRT2))) / 2,
  silu: (x) => x * sigmoid(x),
  tanh: Math.tanh,
  sigmoid,
};

export function linear(x: Matrix, weights: Matrix, bias: Matrix, activation: string): Matrix {
  const z = product(x, weights);
  return build(z.rows, z.columns, (r, c) => activations[activation](get(z, r, c) + get(bias, 0, c)));
}

export function residualNorm(
  x: Matrix,
  gamma: Matrix,
  beta: Matrix,
  residual: Matrix,
  kind: 'layer' | 'rms',
  epsilon: number,
  dropout: Dropout,
): Matrix {
  const width = x.columns;
  const s = build(x.rows, width, (r, c) => get(residual, r, c) + keep(dropout, r, c) * get(x, r, c));
  const stats = Array.from({ length: x.rows }, (_, r) => {
    const row = Array.from({ length: width }, (_, c) => get(s, r, c));
    const mean = kind === 'layer' ? row.reduce((a, b) => a + b, 0) / width : 0;
    const square = row.reduce((a, b) => a + (b - mean) ** 2, 0) / width;
    return { mean, inverse: 1 / Math.sqrt(square + epsilon) };
  });
  return build(
    x.rows,
    width,
    (r, c) => (get(s, r, c) - stats[r].mean) * stats[r].inverse * get(gamma, 0, c) + get(beta, 0, c),
  );
}

export interface AttentionExtras {
  readonly mask?: Uint8Array;
  /** [2 R + 1, H] */
  readonly relativeBias?: Matrix;
  /** Query of its own [T, D] and keys by distance [2 R + 1, D]. */
  readonly relative?: { readonly query: Matrix; readonly keys: Matrix };
  /** [K, H], and which of its rows every pair of a session takes. */
  readonly pairBias?: { readonly table: Matrix; readonly kinds: Uint8Array };
  readonly kind?: 'softmax' | 'silu';
}

export function attention(
  query: Matrix,
  key: Matrix,
  value: Matrix,
  offsets: Int32Array,
  numHeads: number,
  causal: boolean,
  dropout: Dropout,
  { mask, relativeBias, relative, pairBias, kind = 'softmax' }: AttentionExtras = {},
): Matrix {
  const headWidth = query.columns / numHeads;
  const scale = kind === 'silu' ? 1 : 1 / Math.sqrt(headWidth);
  const y = build(query.rows, query.columns, () => 0);
  let block = 0;
  for (let b = 0; b + 1 < offsets.length; b++) {
    const length = offsets[b + 1] - offsets[b];
    for (let h = 0; h < numHeads; h++) {
      for (let i = offsets[b]; i < offsets[b + 1]; i++) {
        const end = causal ? i + 1 : offsets[b + 1];
        const weights: number[] = [];
        for (let j = offsets[b]; j < end; j++) {
          let score = 0;
          const pair = block + (i - offsets[b]) * length + j - offsets[b];
          const distanceRow = (rows: number) => {
            const reach = (rows - 1) / 2;
            return Math.max(-reach, Math.min(reach, j - i)) + reach;
          };
          for (let d = h * headWidth; d < (h + 1) * headWidth; d++) {
            score += get(query, i, d) * get(key, j, d);
            if (relative) score += get(relative.query, i, d) * get(relative.keys, distanceRow(relative.keys.rows), d);
          }
          score *= scale;
          if (relativeBias) score += get(relativeBias, distanceRow(relativeBias.rows), h);
          if (pairBias) score += get(pairBias.table, pairBias.kinds[pair], h);
          const isHidden = mask?.[pair] === 0;
          const weight = kind === 'silu' ? score / (1 + Math.exp(-score)) : Math.exp(score);
          weights.push(isHidden ? 0 : weight);
        }
        const total = kind === 'silu' ? length : weights.reduce((a, w) => a + w, 0) || 1;
        weights.forEach((weight, j) => {
          const share = (weight / total) * keep(dropout, i * numHeads + h, j);
          for (let d = h * headWidth; d < (h + 1) * headWidth; d++) {
            y.values[i * y.columns + d] += share * get(value, offsets[b] + j, d);
          }
        });
      }
    }
    block += length * length;
  }
  return y;
}

/** y[n] = x[rows[n]] */
export function gatherRows(x: Matrix, rows: Int32Array): Matrix {
  return build(rows.length, x.columns, (n, d) => get(x, rows[n], d));
}

/** y[r] = Σ x[n] over rows[n] = r */
export function scatterRows(x: Matrix, rows: Int32Array, numRows: number): Matrix {
  const y = build(numRows, x.columns, () => 0);
  rows.forEach((row, n) => {
    for (let d = 0; d < x.columns; d++) y.values[row * x.columns + d] += get(x, n, d);
  });
  return y;
}

export function residualAdd(x: Matrix, residual: Matrix, dropout: Dropout): Matrix {
  return build(x.rows, x.columns, (r, c) => get(residual, r, c) + keep(dropout, r, c) * get(x, r, c));
}

/** hₜ = λ hₜ₋₁ + xₜ in complex numbers, real parts first. */
export function linearRecurrence(x: Matrix, offsets: Int32Array, decay: Matrix): Matrix {
  const size = decay.columns;
  const y = build(x.rows, x.columns, () => 0);
  for (let b = 0; b + 1 < offsets.length; b++) {
    for (let s = 0; s < size; s++) {
      let [real, imaginary] = [0, 0];
      for (let t = offsets[b]; t < offsets[b + 1]; t++) {
        [real, imaginary] = [
          get(decay, 0, s) * real - get(decay, 1, s) * imaginary + get(x, t, s),
          get(decay, 0, s) * imaginary + get(decay, 1, s) * real + get(x, t, size + s),
        ];
        y.values[t * x.columns + s] = real;
        y.values[t * x.columns + size + s] = imaginary;
      }
    }
  }
  return y;
}

export function transpose(x: Matrix): Matrix {
  return build(x.columns, x.rows, (r, c) => get(x, c, r));
}

/** Scores of the rows ≥ firstRow of the table, row by row of `hidden`. */
export function scores(hidden: Matrix, table: Matrix, firstRow: number): Float64Array[] {
  return Array.from({ length: hidden.rows }, (_, n) =>
    Float64Array.from({ length: table.rows - firstRow }, (_, v) => {
      let sum = 0;
      for (let d = 0; d < hidden.columns; d++) sum += get(hidden, n, d) * get(table, firstRow + v, d);
      return sum;
    }),
  );
}

export function gru(
  x: Matrix,
  offsets: Int32Array,
  inputWeights: Matrix,
  recurrentWeights: Matrix,
  inputBias: Matrix,
  recurrentBias: Matrix,
): Matrix {
  const width = recurrentWeights.rows;
  const input = product(x, inputWeights);
  const y = build(x.rows, width, () => 0);
  for (let b = 0; b + 1 < offsets.length; b++) {
    let hidden = new Float64Array(width);
    for (let t = offsets[b]; t < offsets[b + 1]; t++) {
      const recurrent = product({ rows: 1, columns: width, values: hidden }, recurrentWeights);
      const a = (column: number) => get(input, t, column) + get(inputBias, 0, column);
      const c = (column: number) => get(recurrent, 0, column) + get(recurrentBias, 0, column);
      const next = new Float64Array(width);
      for (let d = 0; d < width; d++) {
        const reset = sigmoid(a(d) + c(d));
        const update = sigmoid(a(width + d) + c(width + d));
        const candidate = Math.tanh(a(2 * width + d) + reset * c(2 * width + d));
        next[d] = (1 - update) * candidate + update * hidden[d];
      }
      y.values.set(next, t * width);
      hidden = next;
    }
  }
  return y;
}

export function softmaxHead(
  hidden: Matrix,
  table: Matrix,
  bias: Matrix,
  targetIds: Int32Array,
  firstRow: number,
  temperature: number,
  labelSmoothing: number,
): Matrix {
  let loss = 0;
  for (let n = 0; n < hidden.rows; n++) {
    const z: number[] = [];
    for (let v = firstRow; v < table.rows; v++) {
      let sum = get(bias, 0, v);
      for (let d = 0; d < hidden.columns; d++) sum += get(hidden, n, d) * get(table, v, d);
      z.push(sum / temperature);
    }
    const max = z.reduce((a, b) => Math.max(a, b));
    const logSumExp = max + Math.log(z.reduce((a, b) => a + Math.exp(b - max), 0));
    const mean = z.reduce((a, b) => a + b, 0) / z.length;
    loss += logSumExp - (1 - labelSmoothing) * z[targetIds[n] - firstRow] - labelSmoothing * mean;
  }
  return matrix(1, 1, [hidden.rows === 0 ? 0 : loss / hidden.rows]);
}

export interface SampledSettings {
  readonly form: string;
  /** K ids for all rows, or K for each. */
  readonly negativeIds: Int32Array;
  readonly numNegatives: number;
  readonly targetLogQ: ArrayLike<number>;
  readonly negativeLogQ: ArrayLike<number>;
  readonly positivePower: number;
  readonly bpreg: number;
  readonly elu: number;
  readonly tanh: boolean;
}

export function sampledHead(
  hidden: Matrix,
  table: Matrix,
  bias: Matrix,
  targetIds: Int32Array,
  settings: SampledSettings,
): Matrix {
  const { form, negativeIds, numNegatives, targetLogQ, negativeLogQ, positivePower, bpreg, elu, tanh } = settings;
  const isPairwise = !['softmax', 'bce', 'gbce'].includes(form);
  const score = (n: number, item: number, logQ: number) => {
    let sum = get(bias, 0, item) - logQ;
    for (let d = 0; d < hidden.columns; d++) sum += get(hidden, n, d) * get(table, item, d);
    if (!isPairwise) return sum;
    if (tanh) return Math.tanh(sum);
    return elu > 0 && sum < 0 ? elu * (Math.exp(sum) - 1) : sum;
  };
  const sum = (x: number[]) => x.reduce((a, b) => a + b, 0);
  let loss = 0;
  for (let n = 0; n < hidden.rows; n++) {
    const s = score(n, targetIds[n], targetLogQ[n]);
    const z: number[] = [];
    for (let k = 0; k < numNegatives; k++) {
      const at = negativeIds.length === numNegatives ? k : n * numNegatives + k;
      if (negativeIds[at] !== targetIds[n]) z.push(score(n, negativeIds[at], negativeLogQ[at]));
    }
    const odds = z.map(Math.exp);
    const weights = odds.map((x) => x / sum(odds));
    if (form === 'softmax') loss += Math.log(1 + sum(odds) / Math.exp(s));
    if (form === 'bce' || form === 'gbce') {
      loss -= positivePower * Math.log(sigmoid(s)) + sum(z.map((x) => Math.log(1 - sigmoid(x))));
    }
    if (z.length === 0) continue;
    if (form === 'bpr') loss -= sum(z.map((x) => Math.log(sigmoid(s - x)))) / z.length;
    if (form === 'top1') loss += sum(z.map((x) => sigmoid(x - s) + sigmoid(x * x))) / z.length;
    if (form === 'bprMax') {
      loss -= Math.log(sum(z.map((x, j) => weights[j] * sigmoid(s - x))));
      loss += bpreg * sum(z.map((x, j) => weights[j] * x * x));
    }
    if (form === 'top1Max') loss += sum(z.map((x, j) => weights[j] * (sigmoid(x - s) + sigmoid(x * x))));
  }
  return matrix(1, 1, [loss / hidden.rows]);
}

/** d Σ y · weights / d inputs[i], by central differences in double precision. */
export function finiteDifferences(
  inputs: readonly Matrix[],
  weights: ArrayLike<number>,
  op: (...inputs: Matrix[]) => Matrix,
): Float64Array[] {
  const step = 1e-5;
  const weighted = () => {
    let sum = 0;
    op(...inputs).values.forEach((y, i) => {
      sum += y * weights[i];
    });
    return sum;
  };
  return inputs.map(({ values }) =>
    values.map((_, i) => {
      const before = values[i];
      values[i] = before + step;
      const up = weighted();
      values[i] = before - step;
      const down = weighted();
      values[i] = before;
      return (up - down) / (2 * step);
    }),
  );
}
