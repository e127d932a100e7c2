import * as tf from '@tensorflow/tfjs';
import {
  type BackendChoice,
  type BackendName,
  type BackendProbe,
  type ChosenBackend,
  explainAbsence,
  type ProbeResult,
} from './backend.ts';
import { cpuProbe } from './cpu.ts';
import { nativeProbe } from './native.ts';
import { createTensorflowGpuProbe, createTensorflowProbe } from './tensorflow.ts';
import { wasmProbe } from './wasm.ts';

/** Fastest first: a GPU, then our kernels, which are faster than TensorFlow's on the same processor. */
export function defaultProbes(): readonly BackendProbe[] {
  return [createTensorflowGpuProbe(), nativeProbe, createTensorflowProbe(), wasmProbe, cpuProbe];
}

export type BackendChooser = (choice: BackendChoice) => Promise<ChosenBackend>;

export interface BackendReport {
  readonly name: BackendName;
  readonly result: ProbeResult;
}

/**
 * Makes a backend TensorFlow.js's current one. `auto` takes the fastest that loads and says in `line` why the faster ones
 * do not.
 *
 * @throws when the backend that was asked for does not load, with how to get it
 *
 * @example
 * const { line } = await chooseBackend('auto');
 */
export async function chooseBackend(
  choice: BackendChoice,
  probes: readonly BackendProbe[] = defaultProbes(),
): Promise<ChosenBackend> {
  quietTensorflow();
  const missed: string[] = [];
  for (const probe of probes) {
    if (choice !== 'auto' && choice !== probe.name) continue;
    const result = await probe.load();
    if (result.available) {
      if (!(await tf.setBackend(probe.tensorflowName))) {
        throw new Error(`backend ${probe.name}: it loads, but TensorFlow.js cannot start it; choose another backend`);
      }
      const why = missed.length > 0 ? `; not ${missed.join('; not ')}` : '';
      return {
        name: probe.name,
        description: result.description,
        line: `backend: ${probe.name} (${result.description})${why}`,
      };
    }
    if (choice !== 'auto') {
      throw new Error(`backend '${choice}' is not available: ${explainAbsence(result)}, or set backend to auto`);
    }
    missed.push(`${probe.name}: ${explainAbsence(result)}`);
  }
  throw new Error(`backend '${choice}' does not exist; expected auto, ${probes.map(({ name }) => name).join(', ')}`);
}

/** Tries every backend, fastest first. */
export async function probeBackends(probes: readonly BackendProbe[] = defaultProbes()): Promise<BackendReport[]> {
  quietTensorflow();
  const reports: BackendReport[] = [];
  for (const probe of probes) reports.push({ name: probe.name, result: await probe.load() });
  return reports;
}

/** TensorFlow.js's production mode: no banner that recommends another package, no per-tensor sanity checks. */
function quietTensorflow(): void {
  if (!tf.env().getBool('PROD')) tf.enableProdMode();
}
