import type { ItemVectors } from './item-vectors.ts';

/** Stands for `read-item-vectors.ts` in a browser. */
export async function readItemVectors(file: string, _itemColumn?: string): Promise<ItemVectors> {
  throw new Error(`${file}: vectors are read from files in Node only; a saved pipeline carries them along`);
}
