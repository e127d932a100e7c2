export { causalBatch, checkerboardSessions } from './checkerboard.ts';
export { assertClose } from './close-to.ts';
export { type DocumentedExample, documentedExamples, runExample } from './documented-examples.ts';
export { folderContents } from './folder-contents.ts';
export { numericGradient } from './numeric-gradient.ts';
export { createRandom, offsetsOf, randomFloats, randomIntegers } from './random-arrays.ts';
export { useTestBackend } from './test-backend.ts';
