export { causalBatch, checkerboardSessions } from './checkerboard.ts';
export { assertClose } from './close-to.ts';
export { numericGradient } from './numeric-gradient.ts';
export { createRandom, offsetsOf, randomFloats, randomIntegers } from './random-arrays.ts';
