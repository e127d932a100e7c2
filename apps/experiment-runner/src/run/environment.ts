import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { arch, cpus, platform, release, totalmem } from 'node:os';
import { promisify } from 'node:util';
import type { ChosenBackend } from '@nimue/container';
import * as tf from '@tensorflow/tfjs';

/** What a result depends on beside the experiment file. */
export interface RunEnvironment {
  readonly nimue: string;
  readonly node: string;
  readonly tensorflow: string;
  readonly backend: { readonly name: string; readonly description: string };
  readonly system: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  /** Of the working directory, or what an image was built from (`NIMUE_COMMIT`); absent outside of both. */
  readonly git?: { readonly commit: string; readonly isModified: boolean };
  readonly data: { readonly key: string; readonly checksum: string; readonly directory: string };
  readonly startedAt: string;
}

export async function describeEnvironment(
  backend: ChosenBackend,
  data: RunEnvironment['data'],
  startedAt: Date,
): Promise<RunEnvironment> {
  const processors = cpus();
  const git = await describeCommit();
  return {
    nimue: readVersion(),
    node: process.version,
    tensorflow: tf.version_core,
    backend: { name: backend.name, description: backend.description },
    system: `${platform()} ${release()} ${arch()}`,
    cpu: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    memoryGiB: Math.round((10 * totalmem()) / 2 ** 30) / 10,
    ...(git && { git }),
    data,
    startedAt: startedAt.toISOString(),
  };
}

/** The version in this package's package.json. */
export function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  return String((manifest as { version?: unknown }).version);
}

async function describeCommit(): Promise<RunEnvironment['git']> {
  const git = async (...args: string[]) => (await promisify(execFile)('git', args)).stdout.trim();
  try {
    const commit = await git('rev-parse', 'HEAD');
    const changes = await git('status', '--porcelain', '--untracked-files=no');
    return { commit, isModified: changes !== '' };
  } catch {
    const commit = process.env.NIMUE_COMMIT;
    return commit ? { commit, isModified: false } : undefined;
  }
}
