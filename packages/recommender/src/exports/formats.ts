// One line per format; the export name is that of `nimue export --format`.
export { onnx } from './formats/onnx.ts';
export { safetensors } from './formats/safetensors.ts';
export { tfjs } from './formats/tfjs.ts';
export { triton } from './formats/triton.ts';
