import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CellPool, CellRequest, CellResult } from './cell-pool.ts';
import { runResuming } from './run-resuming.ts';
import { findUnfinishedRun } from './unfinished-run.ts';

/**
 * Runs a cell in a process of this machine and keeps its result in the cell's folder; one that was stopped or killed before
 * goes on from its last checkpoint.
 *
 * @param folder `<runs>/cells/<key>`
 */
export async function runInFolder(
  pool: CellPool,
  folder: string,
  { experiment, prepared }: Pick<CellRequest, 'experiment' | 'prepared'>,
  signal: AbortSignal,
  onLine: (line: string) => void,
): Promise<{ readonly status: 'done'; readonly result: CellResult }> {
  const resume = await findUnfinishedRun(folder);
  const result = await runResuming(pool, { experiment, prepared, out: folder, resume }, signal, onLine);
  await keepResult(folder, experiment, result);
  return { status: 'done', result };
}

/** Whole or not at all: a sweep that is killed while it writes leaves no half of a result. */
export async function keepResult(folder: string, experiment: string, result: CellResult): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'cell.yaml'), experiment);
  const temporary = join(folder, `.result.${process.pid}.part`);
  await writeFile(temporary, JSON.stringify(result, null, 2));
  await rename(temporary, join(folder, 'result.json'));
}

/** Undefined where the cell has not finished. */
export async function readResult(folder: string): Promise<CellResult | undefined> {
  try {
    return JSON.parse(await readFile(join(folder, 'result.json'), 'utf8')) as CellResult;
  } catch {
    return undefined;
  }
}
