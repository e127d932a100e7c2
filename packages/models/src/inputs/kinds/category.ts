import { gatherRows } from '@nimue/ops';
import { z } from 'zod';
import { columnOfRows, type InputColumn } from '../input-column.ts';
import { columnOptions, defineInputKind, widthOf } from '../input-kind.ts';

/**
 * A learned vector per category. Its size, where neither it nor the aggregation gives one, is ⌈2 ⁴√n⌉ for n categories, those that there are when
 * the model is made, as in Transformers4Rec. Inputs that name the same `table` share their vectors.
 */
export const category = defineInputKind({
  configSchema: z.strictObject({
    kind: z.literal('category'),
    ...columnOptions,
    size: z.int().min(1).optional().describe('Width of what it becomes.'),
    table: z
      .string()
      .regex(/^[A-Za-z]\w*$/, { error: 'expected a name of letters, digits and underscores' })
      .optional()
      .describe('Inputs with the same table share their vectors; a table of its own when not given.'),
  }),
  reads: 'category',
  create({ column, size, table }, { layers, name, width, columns, initStd }) {
    const { parameters } = layers;
    const numValues = valuesOf(columns, column);
    const parameter = table === undefined ? `${name}.table` : `inputs.table.${table}`;
    const rule = parameters.storedShape(parameter)?.[1] ?? Math.ceil(2 * numValues ** 0.25);
    const wanted = widthOf(size, width, rule);
    if (!parameters.names.includes(parameter)) {
      parameters.add(parameter, [numValues, wanted], { kind: 'normal', standardDeviation: initStd });
    }
    const [numRows, shared] = parameters.shape(parameter);
    if (size !== undefined && size !== shared) {
      throw new Error(`inputs: '${column}' has size ${size}, but the table '${table}' that it shares has ${shared}`);
    }
    if (numValues > numRows) parameters.resizeRows(parameter, numValues);
    return {
      size: shared,
      apply(rows) {
        const table = parameters.matrix(parameter);
        const values = columnOfRows(rows, column) as Int32Array;
        const wrong = values.findIndex((value) => value < 0 || value >= table.shape[0]);
        if (wrong < 0) return gatherRows(table, values);
        throw new Error(
          `inputs: the column '${column}' has category ${values[wrong]} in row ${wrong}, expected 0 … ${table.shape[0] - 1}; ` +
            'call resizeFeatures when there are new ones',
        );
      },
      resize(now) {
        parameters.resizeRows(parameter, Math.max(parameters.shape(parameter)[0], valuesOf(now, column)));
      },
    };
  },
});

function valuesOf(columns: ReadonlyMap<string, InputColumn>, name: string): number {
  const column = columns.get(name);
  return column?.kind === 'category' ? column.numValues : 1;
}
