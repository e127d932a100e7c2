import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ArtifactStore } from '@nimue/container';
import type { WindowResult } from '@nimue/trainer';
import { InputError } from '../input-error.ts';
import type { RunEnvironment } from './environment.ts';
import type { RunFolder } from './run-folder.ts';

/**
 * Opens the folder of a run that was stopped, to go on in it: results that are there stay as they are, and the beginning
 * of a line that was not finished is taken away.
 *
 * @throws InputError when it is no such folder, the run is finished, or the data are not those of the run
 */
export async function reopenRunFolder(
  path: string,
  { data }: RunEnvironment,
  artifacts: ArtifactStore,
): Promise<RunFolder> {
  await assertCanResume(path);
  const begun = JSON.parse(await readFile(join(path, 'environment.json'), 'utf8')) as RunEnvironment;
  if (begun.data.checksum !== data.checksum) {
    throw new InputError(
      `${path}: the data have changed since the run began: checksum ${data.checksum}, expected ${begun.data.checksum}; run the experiment anew`,
    );
  }
  const metrics = artifacts.createLineFile(join(path, 'metrics.jsonl'), { continued: true });
  const known = new Set(metrics.lines.map((line) => keyOf(JSON.parse(line) as WindowResult)));
  return {
    path,
    addResult: ({ targetValues, lists, ...result }) => {
      if (!known.has(keyOf(result))) metrics.append(JSON.stringify(result));
    },
    writeReport: (name, text) => artifacts.writeText(join(path, name), text, { overwrite: true }),
    close: () => metrics.close(),
  };
}

/** @throws InputError when the folder is not that of a run that was begun and not finished */
export async function assertCanResume(path: string): Promise<void> {
  const exists = (name: string) =>
    readFile(join(path, name)).then(
      () => true,
      () => false,
    );
  const missing: string[] = [];
  for (const name of ['experiment.yaml', 'environment.json', 'metrics.jsonl']) {
    if (!(await exists(name))) missing.push(name);
  }
  if (missing.length > 0) {
    throw new InputError(
      `${path}: no run to resume, ${missing.join(' and ')} is not there; expected runs/<name>/<run>`,
    );
  }
  if (await exists('report.html')) {
    throw new InputError(
      `${path}: the run is finished, its report is there; nimue run ${join(path, 'experiment.yaml')} runs it anew`,
    );
  }
}

function keyOf({ model, seed, windowIndex }: Pick<WindowResult, 'model' | 'seed' | 'windowIndex'>): string {
  return JSON.stringify([model, seed, windowIndex]);
}
