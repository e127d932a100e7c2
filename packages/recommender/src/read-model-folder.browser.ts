import type { OpenedModel } from './open-model.ts';

/** Stands for `read-model-folder.ts` in a browser. */
export function readModelFolder(folder: string): OpenedModel {
  throw new Error(`${folder}: a browser reads no folders; use openModelFiles`);
}

/** Stands for `read-model-folder.ts` in a browser. */
export async function readModelFolderAside(folder: string): Promise<OpenedModel> {
  return readModelFolder(folder);
}
