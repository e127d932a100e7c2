import { type Activation, type Dropout, deriveSeed, linear, NO_DROPOUT, type NormKind, residualNorm } from '@nimue/ops';
import type { Tensor2D } from '@tensorflow/tfjs';
import type { EncodeMode } from '../next-item-model.ts';
import type { Initializer, ParameterStore } from '../parameter-store.ts';

/** The named layers of a model: their weights lie in its parameter store as `<name>.weights`, `<name>.bias` and so on. */
export interface Layers {
  readonly parameters: ParameterStore;
  addLinear(name: string, from: number, to: number, options?: { initializer?: Initializer; bias?: boolean }): void;
  /** activation(x · weights + bias) */
  linear(name: string, x: Tensor2D, activation?: Activation): Tensor2D;
  addNorm(name: string, width: number): void;
  /** norm(residual + dropout(x)) · gamma + beta */
  norm(name: string, x: Tensor2D, rest?: { residual?: Tensor2D; dropout?: Dropout }): Tensor2D;
}

export interface LayersOptions {
  /** ε of every norm of the model. */
  readonly epsilon: number;
  /** `rms` norms have no beta. */
  readonly kind?: NormKind;
  /** Standard deviation of the matrices at the start, where a layer asks for nothing else; Glorot's when not given. */
  readonly layerStd?: number;
}

export function createLayers(parameters: ParameterStore, { epsilon, kind = 'layer', layerStd }: LayersOptions): Layers {
  const usual: Initializer =
    layerStd === undefined ? { kind: 'glorot' } : { kind: 'normal', standardDeviation: layerStd };
  const withBias = new Set<string>();
  return {
    parameters,
    addLinear(name, from, to, { initializer, bias = true } = {}) {
      parameters.add(`${name}.weights`, [from, to], initializer ?? usual);
      if (!bias) return;
      parameters.add(`${name}.bias`, [to], { kind: 'zeros' });
      withBias.add(name);
    },
    linear(name, x, activation = 'none') {
      const bias = withBias.has(name) ? parameters.vector(`${name}.bias`) : undefined;
      return linear(x, parameters.matrix(`${name}.weights`), bias, activation);
    },
    addNorm(name, width) {
      parameters.add(`${name}.gamma`, [width], { kind: 'ones' });
      if (kind === 'layer') parameters.add(`${name}.beta`, [width], { kind: 'zeros' });
    },
    norm(name, x, rest = {}) {
      const beta = kind === 'layer' ? parameters.vector(`${name}.beta`) : undefined;
      return residualNorm(x, parameters.vector(`${name}.gamma`), { beta, epsilon, kind, ...rest });
    },
  };
}

/** Gives every dropout of a pass its own seed; nothing is dropped when the model only predicts. */
export type DropoutStream = (rate: number) => Dropout;

export function dropoutsOf(mode: EncodeMode): DropoutStream {
  let layer = 0;
  return (rate) => (mode.training ? { rate, seed: deriveSeed(mode.seed, layer++) } : NO_DROPOUT);
}
