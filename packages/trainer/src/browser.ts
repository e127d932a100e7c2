// What a browser needs to ask a model: no files.
export {
  decodeSafetensors,
  encodeSafetensors,
  type Safetensors,
  type StoredArray,
  type StoredTensor,
} from './checkpoints/safetensors.ts';
export { visibleLength } from './evaluation/visible-length.ts';
