import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { type OpenedModel, openModel, openModelInSteps } from './open-model.ts';
import { runStepsAside } from './steps.ts';
import { checksumOfFile } from './write-model-folder.ts';

/** @throws naming the folder and why it cannot be used: not there, damaged, of another version, or of an unknown model */
export function readModelFolder(folder: string): OpenedModel {
  return openModel(
    folder,
    (name) => readFileSync(join(folder, name)),
    (name) => checksumOfFile(join(folder, name)),
  );
}

const BYTES_PER_STEP = 1 << 20;

/**
 * `readModelFolder` for a thread that has other things to do: it reads and computes in pieces of some milliseconds, and lets what
 * waits have its turn between them.
 */
export async function readModelFolderAside(folder: string): Promise<OpenedModel> {
  const files = new Map<string, { readonly bytes: Uint8Array; readonly sha256: string } | { readonly error: Error }>();
  for (const name of ['manifest.json', 'items.json', 'weights.safetensors']) {
    files.set(name, await readAside(join(folder, name)).catch((error: Error) => ({ error })));
  }
  const fileOf = (name: string) => {
    const file = files.get(name);
    if (file && 'bytes' in file) return file;
    throw file?.error ?? new Error('it is no file of a model');
  };
  return runStepsAside(
    openModelInSteps(
      folder,
      (name) => fileOf(name).bytes,
      (name) => fileOf(name).sha256,
    ),
  );
}

async function readAside(path: string): Promise<{ bytes: Uint8Array; sha256: string }> {
  const file = await open(path);
  try {
    const bytes = new Uint8Array((await file.stat()).size);
    const hash = createHash('sha256');
    for (let at = 0; at < bytes.length; ) {
      const { bytesRead } = await file.read(bytes, at, Math.min(BYTES_PER_STEP, bytes.length - at), at);
      if (bytesRead === 0) throw new Error(`it ended after ${at} of ${bytes.length} bytes; is it being written?`);
      hash.update(bytes.subarray(at, at + bytesRead));
      at += bytesRead;
    }
    return { bytes, sha256: hash.digest('hex') };
  } finally {
    await file.close();
  }
}
