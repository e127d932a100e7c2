import type { SessionBatch } from '@nimue/batch';
import type { StoredTensor } from './safetensors.ts';

/** The arrays of a batch by name, for a file: `itemIds`, `offsets`, `targets/positions`, `features/<name>` … */
export function batchTensors(batch: SessionBatch): Map<string, StoredTensor> {
  const tensors = new Map<string, StoredTensor>();
  const add = (path: string, value: unknown) => {
    if (
      value instanceof Float32Array ||
      value instanceof Float64Array ||
      value instanceof Int32Array ||
      value instanceof Uint8Array
    ) {
      tensors.set(path, { shape: [value.length], values: value });
    } else if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value)) {
      for (const [name, part] of Object.entries(value)) add(path ? `${path}/${name}` : name, part);
    }
  };
  add('', batch);
  return tensors;
}
