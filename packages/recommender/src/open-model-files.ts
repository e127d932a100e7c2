import { type OpenedModel, openModel } from './open-model.ts';

/** Files of a model folder by name, such as a browser was given. */
export type ModelFiles = Readonly<Record<string, Uint8Array>>;

/**
 * Opens a model from the files of its folder, in Node and in a browser: `new Recommender(await openModelFiles(files))`.
 * Checksums are compared where the browser lends its digests, which it does for pages from https and localhost.
 *
 * @param where names the model in messages
 * @throws naming the model and why it cannot be used
 */
export async function openModelFiles(files: ModelFiles, where = 'that was given'): Promise<OpenedModel> {
  const read = (name: string): Uint8Array => {
    if (!Object.hasOwn(files, name)) throw new Error('it is not among the files');
    return files[name];
  };
  const { subtle } = globalThis.crypto as { subtle?: typeof globalThis.crypto.subtle };
  if (!subtle) return openModel(where, read);
  const sums = new Map<string, string>();
  for (const [name, bytes] of Object.entries(files)) sums.set(name, await sha256(bytes, subtle));
  return openModel(where, read, (name) => {
    read(name);
    return sums.get(name) as string;
  });
}

async function sha256(bytes: Uint8Array, subtle: typeof globalThis.crypto.subtle): Promise<string> {
  const digest = await subtle.digest('SHA-256', new Uint8Array(bytes));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
