import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface Feed {
  readonly [input: string]: {
    readonly type: 'int64' | 'float32';
    readonly dims: readonly number[];
    readonly data: readonly number[];
  };
}

export interface Answer {
  readonly [output: string]: { readonly dims: readonly number[]; readonly data: readonly number[] };
}

/** What onnxruntime-node answers: per model and feed. Feeds may hold more than a model asks for. */
export function askOnnx(questions: readonly { readonly model: string; readonly feeds: readonly Feed[] }[]): Answer[][] {
  const script = fileURLToPath(new URL('./run-onnx.mjs', import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, [script], {
    input: JSON.stringify(questions),
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as Answer[][];
}
