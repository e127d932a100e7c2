import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { ArtifactStore, LineFile } from '@nimue/container';
import type { WindowResult } from '@nimue/trainer';
import { stringify } from 'yaml';
import type { Experiment } from '../experiment/experiment.ts';
import type { RunEnvironment } from './environment.ts';

/** Where a run leaves its results. Nothing in it is ever overwritten. */
export interface RunFolder {
  readonly path: string;
  /** Adds a line to `metrics.jsonl`; it is on disk when this returns. */
  addResult(result: WindowResult): void;
  writeReport(name: 'report.md' | 'report.html' | 'metrics.csv', text: string): Promise<void>;
  close(): void;
}

export interface CreateRunFolderOptions {
  readonly artifacts: ArtifactStore;
  /** Holds one folder per experiment name. */
  readonly runsDirectory: string;
}

/** Makes `<runs>/<experiment>/<time>-<hash>` with `experiment.yaml`, `environment.json` and an empty `metrics.jsonl`. */
export async function createRunFolder(
  experiment: Experiment,
  environment: RunEnvironment,
  { artifacts, runsDirectory }: CreateRunFolderOptions,
): Promise<RunFolder> {
  const yaml = stringify(experiment.resolved, { aliasDuplicateObjects: false });
  const hash = createHash('sha256').update(yaml).update(environment.startedAt).digest('hex').slice(0, 6);
  const time = environment.startedAt.replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
  const path = join(runsDirectory, experiment.name, `${time}-${hash}`);
  await artifacts.createFolder(path);
  const header = '# The experiment with every default filled in. It can be run again as it is.\n';
  await artifacts.writeText(join(path, 'experiment.yaml'), header + yaml);
  await artifacts.writeText(join(path, 'environment.json'), `${JSON.stringify(environment, null, 2)}\n`);
  const metrics: LineFile = artifacts.createLineFile(join(path, 'metrics.jsonl'));
  return {
    path,
    // The values of single targets and the lists are only for the comparison at the end of the run: they would drown the file.
    addResult: ({ targetValues, lists, ...result }) => metrics.append(JSON.stringify(result)),
    writeReport: (name, text) => artifacts.writeText(join(path, name), text),
    close: () => metrics.close(),
  };
}
