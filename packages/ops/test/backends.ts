import { useTestBackend } from '@nimue/testing';

/** Backends that every plain reference must agree on; TensorFlow's where `NIMUE_TENSORFLOW_DIRECTORY` names one. */
export const REFERENCE_BACKENDS: readonly string[] = [
  'cpu',
  'wasm',
  ...(process.env.NIMUE_TENSORFLOW_DIRECTORY ? ['tensorflow'] : []),
];

/** Makes a backend the active one. */
export const useBackend = (name: string): Promise<void> => useTestBackend(name);
