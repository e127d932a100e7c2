import type { ParameterStore } from '@nimue/models';
import type { MovedRows } from '@nimue/ops';
import type { NamedTensorMap, Tensor, Variable } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { decays, type WeightDecayGroup } from './weight-decay-groups.ts';

/** What an optimizer may read of the `training` section; each takes what its formula has. */
export interface OptimizerConfig {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly momentum: number;
  readonly weightDecay: number;
}

type State = Readonly<Record<string, Variable>>;

/** How one parameter moves. */
export interface UpdateRule {
  /** The arrays kept for every parameter, each of the parameter's shape and 0 at first. */
  readonly stateNames: readonly string[];
  /** Moves the parameter and its state in place. */
  update(args: UpdateArgs): void;
}

export interface UpdateArgs {
  readonly parameter: Variable;
  /** With `rows`, one row for each of them. */
  readonly gradient: Tensor;
  /** Rows that move alone, each once; absent: all. */
  readonly rows?: MovedRows;
  /** Whether weight decay reaches this parameter. */
  readonly decays: boolean;
  /** By the names of `stateNames`. */
  readonly state: State;
  readonly learningRate: number;
  /** Number of steps taken, this one included (1 for the first). */
  readonly step: number;
}

/**
 * Applies an update rule to a model's parameters, in place. Its state follows parameters that grow with the items: old
 * rows keep their state bit for bit, new rows start at 0.
 */
export class Optimizer {
  readonly #states = new Map<string, { readonly size: number; readonly state: State }>();
  readonly #rule: UpdateRule;
  readonly #decayGroup: WeightDecayGroup;
  #step = 0;

  constructor(rule: UpdateRule, weightDecayOn: WeightDecayGroup = 'all') {
    this.#rule = rule;
    this.#decayGroup = weightDecayOn;
  }

  /** Arrays that are kept for every parameter, each of its size. */
  get numStates(): number {
    return this.#rule.stateNames.length;
  }

  /** Steps taken since the start or the last `restart`. */
  get step(): number {
    return this.#step;
  }

  /**
   * Moves every parameter that has a gradient; gradients are named as the parameters are. Where `rows` has that name, only
   * those rows and their state move, and the gradient has one row for each.
   */
  apply(
    parameters: ParameterStore,
    gradients: NamedTensorMap,
    learningRate: number,
    rows: Readonly<Record<string, MovedRows>> = {},
  ): void {
    this.#step++;
    for (const [name, gradient] of Object.entries(gradients)) {
      const parameter = parameters.variable(name);
      const state = this.#stateOf(name, parameter);
      const isDecayed = decays(this.#decayGroup, name, parameters);
      const rest = { learningRate, step: this.#step, decays: isDecayed };
      this.#rule.update({ parameter, gradient, rows: rows[name], state, ...rest });
    }
  }

  /** State by `parameter/state`, copied, for a checkpoint. */
  read(): Map<string, Float32Array> {
    const values = new Map<string, Float32Array>();
    for (const [name, { state }] of this.#states) {
      for (const [stateName, variable] of Object.entries(state)) {
        values.set(`${name}/${stateName}`, (variable.dataSync() as Float32Array).slice());
      }
    }
    return values;
  }

  /** Goes on from what `read` gave. @throws when a length does not fit its parameter: nothing is changed then */
  write(values: ReadonlyMap<string, Float32Array>, step: number, parameters: ParameterStore): void {
    const byParameter = new Map<string, Record<string, Float32Array>>();
    for (const [key, own] of values) {
      const at = key.lastIndexOf('/');
      const [name, stateName] = [key.slice(0, at), key.slice(at + 1)];
      const { size } = parameters.variable(name);
      if (!this.#rule.stateNames.includes(stateName) || own.length !== size) {
        throw new Error(
          `Optimizer: state '${key}' has ${own.length} values; expected ${this.#rule.stateNames.join(', ')} of ${size} values`,
        );
      }
      byParameter.set(name, { ...byParameter.get(name), [stateName]: own });
    }
    this.restart();
    this.#step = step;
    for (const [name, states] of byParameter) {
      const { shape, size } = parameters.variable(name);
      const state = Object.fromEntries(
        Object.entries(states).map(([stateName, own]) => [
          stateName,
          tf.tidy(() => tf.variable(tf.tensor(own.slice(), shape), false)),
        ]),
      );
      this.#states.set(name, { size, state });
    }
  }

  /** Forgets state and step count: what "schedule restarted" means at the beginning of a window. */
  restart(): void {
    this.dispose();
    this.#step = 0;
  }

  dispose(): void {
    for (const { state } of this.#states.values()) tf.dispose(Object.values(state));
    this.#states.clear();
  }

  #stateOf(name: string, parameter: Variable): State {
    const known = this.#states.get(name);
    if (known?.size === parameter.size) return known.state;
    const state = Object.fromEntries(
      this.#rule.stateNames.map((stateName) => [stateName, grown(known?.state[stateName], parameter)]),
    );
    if (known) tf.dispose(Object.values(known.state));
    this.#states.set(name, { size: parameter.size, state });
    return state;
  }
}

function grown(before: Variable | undefined, parameter: Variable): Variable {
  const values = new Float32Array(parameter.size);
  if (before) values.set(before.dataSync() as Float32Array);
  return tf.tidy(() => tf.variable(tf.tensor(values, parameter.shape), false));
}
