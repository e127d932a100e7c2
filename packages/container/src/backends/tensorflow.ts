import { type BackendProbe, firstLineOf, type ProbeResult } from './backend.ts';

/** In order of preference. */
const PACKAGES = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'] as const;

interface TensorflowNode {
  readonly version?: { readonly 'tfjs-node'?: string };
  readonly backend?: () => { readonly isUsingGpuDevice?: boolean };
}

/**
 * TensorFlow's C library through tfjs-node-gpu or tfjs-node, where one of them is installed and complete.
 *
 * @param importModule replaced in tests
 */
export function createTensorflowProbe(
  importModule: (name: string) => Promise<unknown> = (name) => import(name),
): BackendProbe {
  return {
    name: 'tensorflow',
    tensorflowName: 'tensorflow',
    async load(): Promise<ProbeResult> {
      // The C library writes its start-up notes to stderr unless told otherwise before it is loaded.
      process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
      const absences: Absence[] = [];
      for (const name of PACKAGES) {
        try {
          const tensorflow = (await importModule(name)) as TensorflowNode;
          const device = tensorflow.backend?.().isUsingGpuDevice ? 'GPU' : 'CPU';
          return { available: true, description: `${name} ${tensorflow.version?.['tfjs-node'] ?? ''}, ${device}` };
        } catch (error) {
          absences.push(absenceOf(name, error));
        }
      }
      // An incomplete install is nearer to a working one than none.
      const { reason, advice } = absences.find((absence) => absence.isInstalled) ?? absences[absences.length - 1];
      return { available: false, reason, advice };
    },
  };
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
  if (isMissingModule && message.includes(`'${name}'`)) {
    return { isInstalled: false, reason: `${name} is not installed`, advice: `run: npm install ${name}` };
  }
  if (message.includes('tfjs_binding.node')) {
    return {
      isInstalled: true,
      reason: `${name} is installed without its binary tfjs_binding.node, whose download failed`,
      advice: `with network access, run: npm rebuild ${name} --build-addon-from-source`,
    };
  }
  return { isInstalled: true, reason: `${name} does not load: ${message}`, advice: `run: npm rebuild ${name}` };
}
