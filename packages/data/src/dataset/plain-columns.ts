import type { PlainSession } from './plain-sessions.ts';
import { type EventColumns, keyOfColumn, type RawColumn } from './raw-columns.ts';

type Cell = number | string | null;

/**
 * The further columns of plain sessions laid end to end; codes of texts follow their order.
 *
 * @param declared which columns there are, and how they are read; default: all that occur, as what their values are. A
 *   declared column that a session lacks is missing in all its events.
 * @throws when a session lacks a column that is not declared, has it in another length, or a value is of the wrong kind
 */
export function carriedColumns(
  sessions: readonly PlainSession[],
  declared?: readonly RawColumn[],
): { columns?: EventColumns; texts: Record<string, readonly string[]> } {
  const texts: Record<string, readonly string[]> = {};
  const columns: Record<string, Float64Array> = {};
  for (const column of declared ?? occurring(sessions)) {
    const values = sessions.flatMap((session, s) => cellsOf(session, s, column.name, declared !== undefined));
    if (column.kind !== 'text') {
      columns[keyOfColumn(column)] = Float64Array.from(values, (value) => {
        if (typeof value !== 'string') return value ?? Number.NaN;
        throw new Error(`column '${column.name}': expected numbers, got '${value}'`);
      });
      continue;
    }
    const cells = values.map((value) => (value === null ? null : String(value)));
    texts[column.name] = [...new Set(cells.filter((cell) => cell !== null))].sort();
    const codes = new Map(texts[column.name].map((text, code) => [text, code]));
    columns[keyOfColumn(column)] = Float64Array.from(cells, (cell) =>
      cell === null ? Number.NaN : Number(codes.get(cell)),
    );
  }
  return Object.keys(columns).length === 0 ? { texts } : { columns, texts };
}

/** A column of which some value is a text is read as texts. */
function occurring(sessions: readonly PlainSession[]): RawColumn[] {
  const names = [...new Set(sessions.flatMap(({ columns }) => Object.keys(columns ?? {})))].sort();
  return names.map((name) => {
    const values = sessions.flatMap(({ columns }) => columns?.[name] ?? []);
    return { name, kind: values.some((value) => typeof value === 'string') ? 'text' : 'number' };
  });
}

function cellsOf(session: PlainSession, s: number, name: string, mayLack: boolean): readonly Cell[] {
  const own = session.columns?.[name];
  if (own?.length === session.items.length) return own;
  if (!own && mayLack) return session.items.map(() => null);
  throw new Error(
    `session ${s}, column '${name}': expected ${session.items.length} values, got ${own?.length ?? 'none'}`,
  );
}
