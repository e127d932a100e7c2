import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { decodeSafetensors, partsOfSafetensors, type Safetensors } from './safetensors.ts';

const CHECKSUM = 'sha256';

/** A checkpoint that cannot be used. */
export class CheckpointError extends Error {
  override readonly name = 'CheckpointError';
}

/**
 * Writes a file that is there whole or not at all: under a temporary name, synced, renamed. The metadata gain the sha256 of
 * everything else.
 */
export function writeCheckpointFile(path: string, content: Safetensors): void {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    const file = openSync(temporary, 'w');
    try {
      for (const part of partsOfCheckpoint(content)) {
        for (let at = 0; at < part.length; ) at += writeSync(file, part, at);
      }
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  const folder = openSync(dirname(path), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** @throws CheckpointError naming the file and why it cannot be used: truncated, damaged, or not one of ours */
export function readCheckpointFile(path: string): Safetensors {
  const refuse = (reason: string) => new CheckpointError(`checkpoint ${path} cannot be used: ${reason}`);
  let content: Safetensors;
  try {
    content = decodeSafetensors(readFileSync(path));
  } catch (error) {
    throw refuse(error instanceof Error ? error.message : String(error));
  }
  const { [CHECKSUM]: expected, ...metadata } = content.metadata;
  if (expected === undefined) throw refuse('it has no checksum, so it was not written as a checkpoint');
  const found = checksumOf({ tensors: content.tensors, metadata });
  if (found !== expected) {
    throw refuse(`it is damaged: its checksum is ${found.slice(0, 12)}… where it says ${expected.slice(0, 12)}…`);
  }
  return { tensors: content.tensors, metadata };
}

/** The bytes of a checkpoint file, end to end: those of a safetensors file whose metadata hold the sha256 of everything else. */
export function partsOfCheckpoint(content: Safetensors): Uint8Array[] {
  return partsOfSafetensors({ ...content, metadata: { ...content.metadata, [CHECKSUM]: checksumOf(content) } });
}

function checksumOf(content: Safetensors): string {
  const sorted = Object.fromEntries(Object.entries(content.metadata).sort(([a], [b]) => (a < b ? -1 : 1)));
  const hash = createHash('sha256');
  for (const part of partsOfSafetensors({ ...content, metadata: sorted })) hash.update(part);
  return hash.digest('hex');
}
