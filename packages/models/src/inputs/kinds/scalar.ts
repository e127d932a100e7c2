import { z } from 'zod';
import { columnOfRows } from '../input-column.ts';
import { columnOptions, defineInputKind } from '../input-kind.ts';
import { numbersAsRows } from '../numbers-as-rows.ts';

/** The number itself, a vector of width 1. */
export const scalar = defineInputKind({
  configSchema: z.strictObject({ kind: z.literal('scalar'), ...columnOptions }),
  reads: 'number',
  create: ({ column }) => ({ size: 1, apply: (rows) => numbersAsRows([columnOfRows(rows, column)]) }),
});
