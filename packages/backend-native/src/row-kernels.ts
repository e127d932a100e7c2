import type { FusedKernels } from '@nimue/ops';
import { dropoutNumbers, NO_DROPOUT_NUMBERS } from './dropout-numbers.ts';
import type { NativeBackend } from './native-backend.ts';

/** Gather, scatter, embedding, dropout and residual sum. */
export function createRowKernels(backend: NativeBackend) {
  const { addon } = backend;
  return {
    gatherRows({ x, rows }) {
      const [tableRows, width] = x.shape;
      const y = backend.output([rows.length, width]);
      addon.gather(tableRows, rows.length, width, backend.floats(x), rows, y.values);
      return backend.tensor(y);
    },
    scatterRows({ dy, rows, numRows }) {
      const width = dy.shape[1];
      const y = backend.output([numRows, width]);
      addon.scatter(rows.length, width, numRows, 1, ...NO_DROPOUT_NUMBERS, backend.floats(dy), rows, y.values);
      return backend.tensor(y);
    },
    embed({ table, itemIds, positionTable, positions, scale, dropout }) {
      const [tableRows, width] = table.shape;
      const y = backend.output([itemIds.length, width]);
      addon.embed(
        itemIds.length,
        width,
        tableRows,
        positionTable?.shape[0] ?? 0,
        scale,
        ...dropoutNumbers(dropout),
        backend.floats(table),
        itemIds,
        positionTable && backend.floats(positionTable),
        positionTable && positions,
        y.values,
      );
      return backend.tensor(y);
    },
    embedGradient({ table, itemIds, positionTable, positions, scale, dropout, dy }) {
      const width = table.shape[1];
      const scatter = (rows: Int32Array, numRows: number, factor: number) => {
        const y = backend.output([numRows, width]);
        const numbers = dropoutNumbers(dropout);
        addon.scatter(rows.length, width, numRows, factor, ...numbers, backend.floats(dy), rows, y.values);
        return y;
      };
      return {
        table: backend.tensor(scatter(itemIds, table.shape[0], scale)),
        positionTable:
          positionTable && positions ? backend.tensor(scatter(positions, positionTable.shape[0], 1)) : undefined,
      };
    },
    dropout({ x, dropout }) {
      const [rows, width] = x.shape;
      const y = backend.output(x.shape);
      addon.residualAdd(rows, width, ...dropoutNumbers(dropout), backend.floats(x), undefined, y.values);
      return backend.tensor(y);
    },
    residualAdd({ x, residual, dropout }) {
      const [rows, width] = x.shape;
      const y = backend.output(x.shape);
      addon.residualAdd(rows, width, ...dropoutNumbers(dropout), backend.floats(x), backend.floats(residual), y.values);
      return backend.tensor(y);
    },
  } satisfies FusedKernels;
}
