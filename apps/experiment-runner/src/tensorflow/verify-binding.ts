import { InputError } from '../input-error.ts';
import { runTool } from './run-tool.ts';

/** What an installed package says of itself. */
export interface VerifiedBinding {
  /** Of TensorFlow, as the loaded library tells it. */
  readonly version: string;
  readonly isUsingGpu: boolean;
}

const PROGRAM = `
const tf = require(process.argv[1]);
const product = [...tf.matMul(tf.tensor2d([[1, 2], [3, 4]]), tf.tensor2d([[5], [6]])).dataSync()];
const gradient = [...tf.grad((x) => tf.sum(tf.matMul(x, x)))(tf.tensor2d([[1, 2], [3, 4]])).dataSync()];
const { binding, isUsingGpuDevice } = tf.backend();
process.stdout.write('\\n' + JSON.stringify({ product, gradient, version: binding.TF_Version, isUsingGpu: isUsingGpuDevice === true }) + '\\n');
`;

/**
 * Loads the package in a process of its own and computes a product and a gradient whose values are known.
 *
 * @throws InputError when it does not load, or computes something else
 */
export async function verifyBinding(packageDirectory: string): Promise<VerifiedBinding> {
  const advice = 'the wheel does not fit this machine; try another version with --wheel';
  const env = { ...process.env, TF_CPP_MIN_LOG_LEVEL: '3' };
  const output = await runTool(process.execPath, ['-e', PROGRAM, packageDirectory], { advice, env });
  const { product, gradient, version, isUsingGpu } = JSON.parse(output.trim().split('\n').at(-1) ?? '{}');
  // (1 2; 3 4)·(5; 6) and the derivative of the sum of X·X: row sums of Xᵀ plus column sums.
  const expected = JSON.stringify([
    [17, 39],
    [7, 11, 9, 13],
  ]);
  if (JSON.stringify([product, gradient]) === expected) return { version, isUsingGpu };
  throw new InputError(
    `TensorFlow ${version} computes ${JSON.stringify([product, gradient])}, expected ${expected}; ${advice}`,
  );
}
