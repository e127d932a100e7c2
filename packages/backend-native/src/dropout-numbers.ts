import { type Dropout, keepThreshold } from '@nimue/ops';
import type { DropoutNumbers } from './native-addon.ts';

/** A dropout as the C++ side reads it. */
export function dropoutNumbers(dropout: Dropout): DropoutNumbers {
  const active = dropout.rate > 0;
  return [active ? 1 : 0, dropout.seed >>> 0, keepThreshold(dropout.rate), 1 / (1 - dropout.rate)];
}

export const NO_DROPOUT_NUMBERS: DropoutNumbers = [0, 0, 0, 1];
