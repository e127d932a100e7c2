import { type BackendChoice, chooseBackend } from '@nimue/container';
import { exportModel, type FormatName, findModelFolder, type Int8Loss, readModelFolder } from '@nimue/recommender';
import { InputError } from '../input-error.ts';
import { asInput } from '../run/input-step.ts';

export interface ExportCommandOptions {
  readonly format: FormatName;
  readonly out?: string;
  readonly model?: string;
  readonly batch?: string;
  readonly length?: string;
  readonly topK?: string;
  readonly int8Items?: boolean;
  readonly json?: boolean;
  readonly backend: BackendChoice;
}

/** `nimue export <run or model folder>` */
export async function exportCommand(path: string, options: ExportCommandOptions): Promise<void> {
  const { format, out = `${path.replace(/\/+$/, '')}-${format}`, int8Items } = options;
  const sizes = {
    batchSize: wholeNumber('--batch', options.batch),
    length: wholeNumber('--length', options.length),
    topK: wholeNumber('--top-k', options.topK),
  };
  const folder = await asInput('', () => findModelFolder(path, options.model));
  const { line } = await asInput('', () => chooseBackend(options.backend));
  process.stderr.write(`${line}\n`);
  const opened = await asInput('', () => readModelFolder(folder));
  try {
    const { files, int8Loss } = await asInput('', () => exportModel(opened, out, { format, int8Items, ...sizes }));
    process.stderr.write(`model: ${opened.manifest.label} of ${folder}\n`);
    if (int8Loss) process.stderr.write(`${describeLoss(int8Loss)}\n`);
    const paths = files.map((file) => `${out}/${file}`);
    const described = { model: opened.manifest.label, folder, format, files: paths, ...(int8Loss && { int8Loss }) };
    process.stdout.write(options.json ? `${JSON.stringify(described, null, 2)}\n` : `${paths.join('\n')}\n`);
  } finally {
    opened.model.dispose();
  }
}

function describeLoss({ numSessions, k, shareOfTopKept, shareOfBestKept, largestScoreChange }: Int8Loss): string {
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  return (
    `int8 items, over ${numSessions} random sessions: ${percent(shareOfTopKept)} of the ${k} best stay, the best one in ` +
    `${percent(shareOfBestKept)}; a score moves by at most ${percent(largestScoreChange)} of the distance between best and last`
  );
}

function wholeNumber(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1) return value;
  throw new InputError(`${option} ${text}: expected a whole number ≥ 1`);
}
