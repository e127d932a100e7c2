import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { openEngine } from '../read/engine.ts';
import { globWith, resolveFiles, type SourceFile } from '../read/source-files.ts';
import { LAYOUT_VERSION } from './manifest.ts';
import type { PrepareOptions } from './prepare-windows.ts';

/** Everything that decides what is prepared, and its name. */
export interface PreparedContent {
  /** Equal keys, equal contents. */
  readonly key: string;
  /** For people, in the manifest. */
  readonly source: unknown;
  /** The log as it was when its contents were hashed; none for a generated one. */
  readonly files: readonly SourceFile[];
}

/**
 * Names what is going to be prepared by its contents: the bytes of the files (not their names or times) and every option.
 *
 * @throws when a file of the log is missing or cannot be read
 */
export async function describeContent(options: PrepareOptions, signal?: AbortSignal): Promise<PreparedContent> {
  if ('generated' in options.dataset) return { ...nameContent(options, []), files: [] };
  const files = await filesOf(options.dataset.files);
  const hashes: string[] = [];
  for (const { path } of files) hashes.push(await sha256OfFile(path, signal));
  return { ...nameContent(options, hashes), files };
}

/** @param hashes SHA-256 of each file of the log; none for a generated one */
export function nameContent(options: PrepareOptions, hashes: readonly string[]): Omit<PreparedContent, 'files'> {
  const { dataset, sessions, windows, split, columns = [] } = options;
  const rest = { sessions, windows, columns, split: { by: 'session', validShare: 0.5, seed: 0, ...split } };
  if ('generated' in dataset) return named({ layout: LAYOUT_VERSION, dataset, ...rest });
  const { files: _, ...described } = dataset;
  return named({ layout: LAYOUT_VERSION, dataset: { ...described, sha256: hashes }, ...rest });
}

/** @throws when a file is no longer what it was when its contents were hashed: what was read has no certain name then */
export async function assertUnchanged(files: readonly SourceFile[]): Promise<void> {
  for (const { path, bytes, modifiedMs } of files) {
    const now = await stat(path).catch(() => undefined);
    if (now?.size === bytes && now.mtimeMs === modifiedMs) continue;
    throw new Error(
      `prepareWindows: ${path} was ${now ? 'changed' : 'removed'} while it was being read; run again when it is complete`,
    );
  }
}

/** The files of a log, in their order. */
export async function filesOf(files: string | string[]): Promise<SourceFile[]> {
  return resolveFiles(files, async (pattern) => {
    const engine = await openEngine();
    try {
      return await globWith(engine)(pattern);
    } finally {
      engine.close();
    }
  });
}

export async function sha256OfFile(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 2 ** 20 }), hash, { signal });
  return hash.digest('hex');
}

function named(source: unknown): Omit<PreparedContent, 'files'> {
  return { key: createHash('sha256').update(JSON.stringify(source)).digest('hex').slice(0, 16), source };
}
