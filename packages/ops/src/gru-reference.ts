import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import type { GruArgs } from './fused-kernels.ts';
import { gather } from './plain-rows.ts';
import { product } from './products.ts';
import { type SessionSteps, sessionSteps } from './session-steps.ts';
import { withGradient } from './with-gradient.ts';

/**
 * `gru` on plain operations: all sessions go on together by one position, and those that have ended drop out, so that no
 * padding is computed. The gradient is written out, since a tape would keep a dozen arrays for every position.
 */
export function gruReference(args: GruArgs): Tensor2D {
  const { x, offsets, inputWeights, recurrentWeights, inputBias, recurrentBias } = args;
  const steps = sessionSteps(offsets);
  return withGradient(
    [x, inputWeights, recurrentWeights, inputBias, recurrentBias],
    ([x, inputWeights, recurrentWeights, inputBias, recurrentBias]) => {
      const trace = forward({ x, offsets, inputWeights, recurrentWeights, inputBias, recurrentBias }, steps);
      return { value: gather(trace.states, steps.toPacked), saved: Object.values(trace) };
    },
    (dy, [x, inputWeights, recurrentWeights], [states, gates, candidates, recurrents]) => {
      const trace = { states, gates, candidates, recurrents } as Trace;
      return backward(dy, { x, inputWeights, recurrentWeights }, trace, steps);
    },
  );
}

/** What the gradient needs, step by step: rows as in `SessionSteps`. */
interface Trace {
  /** h′ [T, D] */
  readonly states: Tensor2D;
  /** r, z [T, 2 D] */
  readonly gates: Tensor2D;
  /** n [T, D] */
  readonly candidates: Tensor2D;
  /** h Uₙ + cₙ [T, D] */
  readonly recurrents: Tensor2D;
}

function forward(args: GruArgs, { starts, toSteps }: SessionSteps): Trace {
  const { x, inputWeights, recurrentWeights, inputBias, recurrentBias } = args;
  const width = recurrentWeights.shape[0];
  return tf.tidy(() => {
    const fromInput = gather(tf.add(product(x, inputWeights), inputBias) as Tensor2D, toSteps);
    const parts: Record<keyof Trace, Tensor2D[]> = { states: [], gates: [], candidates: [], recurrents: [] };
    let state: Tensor2D = tf.zeros([starts[1], width]);
    for (let step = 0; step + 1 < starts.length; step++) {
      const numRows = starts[step + 1] - starts[step];
      const [made, gates, candidate, recurrent] = tf.tidy(() => {
        const before = tf.slice(state, [0, 0], [numRows, width]);
        const input = tf.slice(fromInput, [starts[step], 0], [numRows, 3 * width]);
        const hidden = tf.add(product(before, recurrentWeights), recurrentBias) as Tensor2D;
        const gates = tf.sigmoid(tf.add(firstColumns(input, 2 * width), firstColumns(hidden, 2 * width))) as Tensor2D;
        const recurrent = lastColumns(hidden, width);
        const candidate = tf.tanh(
          tf.add(lastColumns(input, width), tf.mul(firstColumns(gates, width), recurrent)),
        ) as Tensor2D;
        const made = tf.add(candidate, tf.mul(lastColumns(gates, width), tf.sub(before, candidate))) as Tensor2D;
        return [made, gates, candidate, recurrent];
      });
      state = made;
      parts.states.push(made);
      parts.gates.push(gates);
      parts.candidates.push(candidate);
      parts.recurrents.push(recurrent);
    }
    const joined = (rows: Tensor2D[]) => tf.concat(rows, 0);
    return {
      states: joined(parts.states),
      gates: joined(parts.gates),
      candidates: joined(parts.candidates),
      recurrents: joined(parts.recurrents),
    };
  });
}

function backward(
  dy: Tensor2D,
  { x, inputWeights, recurrentWeights }: Pick<GruArgs, 'x' | 'inputWeights' | 'recurrentWeights'>,
  { states, gates, candidates, recurrents }: Trace,
  { starts, toSteps, toPacked, toPrevious }: SessionSteps,
): (Tensor2D | Tensor1D)[] {
  const width = recurrentWeights.shape[0];
  const numSteps = starts.length - 1;
  return tf.tidy(() => {
    // The state before every position: 0 for the first step, then that of the same session one step earlier.
    const before = tf.concat([tf.zeros([starts[1], width]), gather(states, toPrevious)], 0) as Tensor2D;
    const dStates = gather(dy, toSteps);
    const recurrentTransposed = tf.transpose(recurrentWeights);
    const inputParts: Tensor2D[] = [];
    const hiddenParts: Tensor2D[] = [];
    let carried: Tensor2D = tf.zeros([0, width]);
    for (let step = numSteps - 1; step >= 0; step--) {
      const numRows = starts[step + 1] - starts[step];
      const [next, dInput, dHidden] = tf.tidy(() => {
        const part = (rows: Tensor2D) => tf.slice(rows, [starts[step], 0], [numRows, rows.shape[1]]);
        const ended: Tensor2D = tf.zeros([numRows - carried.shape[0], width]);
        const dState = tf.add(part(dStates), tf.concat([carried, ended], 0));
        const gate = part(gates);
        const candidate = part(candidates);
        const update = lastColumns(gate, width);
        const dCandidate = tf.mul(tf.mul(dState, tf.sub(1, update)), tf.sub(1, tf.square(candidate)));
        const dGates = tf.mul(
          tf.concat(
            [tf.mul(dCandidate, part(recurrents)), tf.mul(dState, tf.sub(part(before), candidate))] as Tensor2D[],
            1,
          ),
          tf.mul(gate, tf.sub(1, gate)),
        );
        const dRecurrent = tf.mul(dCandidate, firstColumns(gate, width));
        const dHidden = tf.concat([dGates, dRecurrent] as Tensor2D[], 1);
        const next = tf.add(tf.mul(dState, update), product(dHidden, recurrentTransposed)) as Tensor2D;
        return [next, tf.concat([dGates, dCandidate] as Tensor2D[], 1), dHidden];
      });
      carried = next;
      inputParts.unshift(dInput);
      hiddenParts.unshift(dHidden);
    }
    const dInputs = gather(tf.concat(inputParts, 0), toPacked);
    const dHiddens = tf.concat(hiddenParts, 0);
    return [
      product(dInputs, inputWeights, false, true),
      product(x, dInputs, true, false),
      product(before, dHiddens, true, false),
      tf.sum(dInputs, 0) as Tensor1D,
      tf.sum(dHiddens, 0) as Tensor1D,
    ];
  });
}

function firstColumns(x: Tensor2D, count: number): Tensor2D {
  return tf.slice(x, [0, 0], [x.shape[0], count]);
}

function lastColumns(x: Tensor2D, count: number): Tensor2D {
  return tf.slice(x, [0, x.shape[1] - count], [x.shape[0], count]);
}
