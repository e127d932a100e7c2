import { product } from '@nimue/ops';
import { z } from 'zod';
import { softmaxRows } from '../../neural/softmax-rows.ts';
import { columnOfRows } from '../input-column.ts';
import { columnOptions, defineInputKind, widthOf } from '../input-kind.ts';
import { numbersAsRows } from '../numbers-as-rows.ts';

/**
 * A number x as a mixture of K learned vectors: softmax(x w + b) · E (Transformers4Rec, section 3.2.2, "soft one-hot
 * encoding").
 */
export const softOneHot = defineInputKind({
  configSchema: z.strictObject({
    kind: z.literal('softOneHot'),
    ...columnOptions,
    size: z.int().min(1).optional().describe('Width of what it becomes.'),
    numVectors: z.int().min(2).default(10).describe('K, the vectors that are mixed.'),
  }),
  reads: 'number',
  create({ column, size, numVectors }, { layers, name, width, initStd }) {
    const to = widthOf(size, width, 8);
    layers.addLinear(`${name}.choice`, 1, numVectors);
    layers.parameters.add(`${name}.table`, [numVectors, to], { kind: 'normal', standardDeviation: initStd });
    return {
      size: to,
      apply(rows) {
        const choice = layers.linear(`${name}.choice`, numbersAsRows([columnOfRows(rows, column)]));
        return product(softmaxRows(choice), layers.parameters.matrix(`${name}.table`));
      },
    };
  },
});
