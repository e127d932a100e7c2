import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type OpenedModel, openModel } from './open-model.ts';
import { checksumOfFile } from './write-model-folder.ts';

/** @throws naming the folder and why it cannot be used: not there, damaged, of another version, or of an unknown model */
export function readModelFolder(folder: string): OpenedModel {
  return openModel(
    folder,
    (name) => readFileSync(join(folder, name)),
    (name) => checksumOfFile(join(folder, name)),
  );
}
