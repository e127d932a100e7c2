import { createRequire } from 'node:module';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { type BackendProbe, firstLineOf, type ProbeResult } from './backend.ts';

const GPU_PACKAGE = '@tensorflow/tfjs-node-gpu';
const CPU_PACKAGE = '@tensorflow/tfjs-node';

/** A folder made by `nimue backend install tensorflow --into`, taken instead of installed packages. */
const FOLDER_VARIABLE = 'NIMUE_TENSORFLOW_DIRECTORY';

interface TensorflowNode {
  readonly version?: { readonly 'tfjs-node'?: string };
  readonly backend?: () => { readonly isUsingGpuDevice?: boolean; readonly binding?: { readonly TF_Version?: string } };
}

type ImportModule = (name: string) => Promise<unknown>;

/**
 * TensorFlow's C library through tfjs-node-gpu or tfjs-node, where one of them is installed and complete, on whatever
 * device it takes.
 *
 * @param importModule replaced in tests
 */
export function createTensorflowProbe(importModule: ImportModule = importPackage): BackendProbe {
  return {
    name: 'tensorflow',
    tensorflowName: 'tensorflow',
    async load(): Promise<ProbeResult> {
      const absences: Absence[] = [];
      for (const name of installedNames([GPU_PACKAGE, CPU_PACKAGE])) {
        const found = await loadPackage(name, importModule);
        if ('description' in found) {
          const { description, version, device } = found;
          return { available: true, description, version, device };
        }
        absences.push(found);
      }
      // An incomplete install is nearer to a working one than none.
      const { reason, advice } = absences.find((absence) => absence.isInstalled) ?? absences[absences.length - 1];
      return { available: false, reason, advice };
    },
  };
}

/**
 * The same where it computes on a GPU, and only there: a GPU that TensorFlow lists but that cannot run a product (a driver
 * too old for its CUDA, memory that others hold) is none.
 *
 * @param importModule replaced in tests
 * @param tryProduct throws where a product is wrong; replaced in tests
 */
export function createTensorflowGpuProbe(
  importModule: ImportModule = importPackage,
  tryProduct: () => Promise<void> = multiplyOnes,
): BackendProbe {
  return {
    name: 'tensorflow-gpu',
    tensorflowName: 'tensorflow',
    async load(): Promise<ProbeResult> {
      let first: Absence | undefined;
      for (const name of installedNames([GPU_PACKAGE])) {
        const found = await loadPackage(name, importModule);
        if ('isInstalled' in found) first ??= found;
        else if (found.isUsingGpu) {
          try {
            await tryProduct();
            const { description, version, device } = found;
            return { available: true, description, version, device };
          } catch (error) {
            const reason = `${name} finds a GPU, but a product on it fails: ${firstLineOf(error)}`;
            first ??= {
              isInstalled: true,
              reason,
              advice: 'see apps/docs/gpu.md for the driver and CUDA that it needs',
            };
          }
        } else {
          const reason = `${name} loads, but finds no GPU`;
          first ??= { isInstalled: true, reason, advice: 'see apps/docs/gpu.md for the driver and CUDA that it needs' };
        }
      }
      const { reason, advice } = first as Absence;
      return { available: false, reason, advice };
    },
  };
}

/** @throws when a product on TensorFlow's device fails or is wrong */
async function multiplyOnes(): Promise<void> {
  const before = tf.getBackend();
  try {
    if (!(await tf.setBackend('tensorflow'))) throw new Error('TensorFlow.js cannot start it');
    const product = tf.tidy(() => tf.matMul(tf.ones([64, 64]), tf.ones([64, 64])).dataSync());
    const wrong = product.find((value) => value !== 64);
    if (wrong !== undefined) throw new Error(`a sum of 64 ones is ${wrong}`);
  } finally {
    if (before) await tf.setBackend(before);
  }
}

function installedNames(names: readonly string[]): readonly string[] {
  const folder = process.env[FOLDER_VARIABLE];
  return folder ? [folder] : names;
}

async function importPackage(name: string): Promise<unknown> {
  if (!name.startsWith('/')) return import(name);
  return createRequire(import.meta.url)(join(name, 'dist', 'index.js'));
}

async function loadPackage(name: string, importModule: ImportModule): Promise<Absence | Found> {
  // The C library writes its start-up notes to stderr unless told otherwise before it is loaded.
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  try {
    const tensorflow = (await importModule(name)) as TensorflowNode;
    const { isUsingGpuDevice, binding } = tensorflow.backend?.() ?? {};
    const device = isUsingGpuDevice ? 'GPU' : 'CPU';
    const library = binding?.TF_Version ? ` on TensorFlow ${binding.TF_Version}` : '';
    const version = `${tensorflow.version?.['tfjs-node'] ?? ''}${library}`;
    return { description: `${name} ${version}, ${device}`, version, device, isUsingGpu: isUsingGpuDevice === true };
  } catch (error) {
    return absenceOf(name, error);
  }
}

interface Found {
  readonly description: string;
  readonly version: string;
  readonly device: string;
  readonly isUsingGpu: boolean;
}

interface Absence {
  readonly isInstalled: boolean;
  readonly reason: string;
  readonly advice: string;
}

function absenceOf(name: string, error: unknown): Absence {
  const message = firstLineOf(error);
  const code = (error as { code?: unknown } | null)?.code;
  const isMissingModule = code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND';
  const install = `nimue backend install tensorflow${name === GPU_PACKAGE ? ' --gpu' : ''}`;
  if (name === process.env[FOLDER_VARIABLE]) {
    const advice = `correct ${FOLDER_VARIABLE}, or make it with: nimue backend install tensorflow --into ${name}`;
    return { isInstalled: true, reason: `${name} does not load: ${message}`, advice };
  }
  if (isMissingModule && message.includes(`'${name}'`)) {
    return {
      isInstalled: false,
      reason: `${name} is not installed`,
      advice: `run: ${install}, or npm install ${name}`,
    };
  }
  if (message.includes('tfjs_binding.node')) {
    return {
      isInstalled: true,
      reason: `${name} is installed without its binary tfjs_binding.node, whose download failed`,
      advice: `run: ${install}, or with access to its servers npm rebuild ${name} --build-addon-from-source`,
    };
  }
  return {
    isInstalled: true,
    reason: `${name} does not load: ${message}`,
    advice: `run: ${install}, or npm rebuild ${name}`,
  };
}
