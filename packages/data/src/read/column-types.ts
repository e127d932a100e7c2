import type { ColumnType } from './dataset-schema.ts';
import { didYouMean } from './did-you-mean.ts';
import { type Engine, sqlName } from './engine.ts';
import { explainReadError, presentOrNull, type Source } from './open-source.ts';

/** How cells of an engine type become those of a declared type. */
interface Conversion {
  /** SQL condition on a present cell: it is one of the declared type. */
  readonly isFine: string;
  /** SQL of the cell; not asked where `isFine` is false. */
  readonly sql: string;
  /** Engine type of what comes out. */
  readonly type: string;
}

const WHOLE = '[+-]?[0-9]{1,38}';
const DECIMAL = '[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?';
/** Beyond it different whole numbers become equal in floating point. */
const MAX_EXACT = 2 ** 53;

/**
 * The source with its declared types. `string` keeps a cell as it is written (`007` is not `7`), `integer` takes whole numbers of any
 * length, however they are written (`007` is `7`, and so is the `7.0` of a column in floating point), `number` any finite number. Every cell
 * is looked at once; empty cells stay missing.
 *
 * @throws when a column does not exist, or a cell is not of its type: naming file, row and column
 */
export async function withDeclaredTypes(
  engine: Engine,
  source: Source,
  declared: Readonly<Record<string, ColumnType>> = {},
): Promise<Source> {
  const known = [...source.types.keys()];
  const converted = new Map<string, Conversion>();
  for (const [name, type] of Object.entries(declared)) {
    const where = `dataset.columnTypes.${name}`;
    if (!source.types.has(name)) {
      throw new Error(
        `${where}: ${source.label} has the columns ${known.map((column) => `'${column}'`).join(', ')}, but no '${name}'${didYouMean(name, known)}`,
      );
    }
    const conversion = conversionOf(source, name, type);
    if (conversion === 'impossible') {
      throw new Error(
        `${where}: '${name}' of ${source.label} has type ${source.types.get(name)}, which cannot be read as ${type}`,
      );
    }
    if (conversion) converted.set(name, conversion);
  }
  if (converted.size === 0) return source;
  for (const name of converted.keys()) await assertCells(engine, source, name, declared[name], 'dataset.columnTypes');
  const cells = [...converted].map(([name, { sql }]) => `${sql} AS ${sqlName(name)}`).join(', ');
  return {
    ...source,
    types: new Map([...source.types].map(([name, type]) => [name, converted.get(name)?.type ?? type])),
    relation: (fileIndex) => `(SELECT * REPLACE (${cells}) FROM ${source.relation(fileIndex)})`,
    placeSql: undefined,
  };
}

/**
 * @param why what asks for the type
 * @throws naming the first cell that is not of the type, and how many there are
 */
export async function assertCells(
  engine: Engine,
  source: Source,
  name: string,
  type: ColumnType,
  why: string,
): Promise<void> {
  const conversion = conversionOf(source, name, type);
  if (!conversion || conversion === 'impossible') return;
  const present = presentOrNull(source, name);
  const rows = async (sql: string) =>
    engine.rows(sql).catch((error: unknown) => {
      throw explainReadError(error, source);
    });
  const isBad = `${present} IS NOT NULL AND NOT (${conversion.isFine})`;
  const [{ n }] = await rows(`SELECT count(*) AS n FROM ${source.relation()} WHERE ${isBad}`);
  if (Number(n) === 0) return;
  for (const [fileIndex, { path }] of source.files.entries()) {
    const numbered = `SELECT row_number() OVER () AS n, CAST(${sqlName(name)} AS VARCHAR) AS cell, ${isBad} AS bad FROM ${source.relation(fileIndex)}`;
    const [row] = await rows(`SELECT min(n) AS first, arg_min(cell, n) AS cell FROM (${numbered}) WHERE bad`);
    if (row.first === null) continue;
    const what = type === 'integer' ? 'a whole number' : 'a number';
    const such = Number(n) === 1 ? '1 such row' : `${n} such rows`;
    throw new Error(
      `${path}, ${source.placeOf(Number(row.first))}: column '${name}' is '${String(row.cell).slice(0, 80)}', expected ${what} (${why}); ${such}. Correct the file, or read the column as string`,
    );
  }
}

/** Nothing where the column is of that type already. */
function conversionOf(source: Source, name: string, type: ColumnType): Conversion | 'impossible' | undefined {
  const from = source.types.get(name) ?? 'VARCHAR';
  const column = sqlName(name);
  if (from.endsWith('[]')) return 'impossible';
  const isWhole = /^U?(BIG|SMALL|TINY|HUGE)?INT(EGER)?$/.test(from);
  const isDecimal = /^DECIMAL/.test(from);
  const isFloat = from === 'DOUBLE' || from === 'FLOAT';
  if (type === 'string') {
    return from === 'VARCHAR' ? undefined : { isFine: 'true', sql: `CAST(${column} AS VARCHAR)`, type: 'VARCHAR' };
  }
  if (type === 'number') {
    if (isWhole || isDecimal || isFloat) return undefined;
    if (from !== 'VARCHAR') return 'impossible';
    const sql = `TRY_CAST(trim(${presentOrNull(source, name)}) AS DOUBLE)`;
    const isFine = `regexp_full_match(trim(${column}), '${DECIMAL}') AND isfinite(${sql})`;
    return { isFine, sql, type: 'DOUBLE' };
  }
  if (isWhole) return undefined;
  if (isFloat || isDecimal) {
    const isFine = `${column} = floor(${column}) AND abs(${column}) <= ${MAX_EXACT}`;
    return { isFine, sql: `CAST(${presentOrNull(source, name)} AS BIGINT)`, type: 'BIGINT' };
  }
  if (from !== 'VARCHAR') return 'impossible';
  // As text, which holds more than 64 bits in every file that it passes through.
  return {
    isFine: `regexp_full_match(trim(${column}), '${WHOLE}')`,
    sql: `CAST(TRY_CAST(trim(${presentOrNull(source, name)}) AS HUGEINT) AS VARCHAR)`,
    type: 'VARCHAR',
  };
}
