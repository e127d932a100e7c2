import { join } from 'node:path';
import { openArrowFiles } from './arrow-files.ts';
import { withDeclaredTypes } from './column-types.ts';
import type { FilesDataset } from './dataset-schema.ts';
import { derivedTimeSql, FILE_NUMBER, partsOf } from './derived-times.ts';
import { didYouMean } from './did-you-mean.ts';
import { type Engine, messageOf, sqlName, sqlText } from './engine.ts';
import { openJsonLines } from './json-lines.ts';
import { unnestLists } from './list-columns.ts';
import { assertSequences, sequenceColumns, sequenceForm, sequenceRelation } from './sequence-lines.ts';
import { assertParquetMagic, formatOf, globWith, resolveFiles, type SourceFile } from './source-files.ts';
import { readTextHeader } from './text-header.ts';
import { unpackIfPacked } from './unpack.ts';

/** The engine numbers files, and rows in their file; no file has 2^36 rows, and 2^17 files are exact in a double. (A literal with a point would be a DECIMAL, whose product costs a second per 20 million rows.) */
const PARQUET_PLACE = `(file_index * ${2 ** 36}::DOUBLE + file_row_number)`;

/** The files of a log as one relation of the engine. */
export interface Source {
  readonly isText: boolean;
  readonly files: readonly SourceFile[];
  /** Name → engine type, e.g. `VARCHAR` (every column of a text file), `BIGINT`, `TIMESTAMP WITH TIME ZONE`. */
  readonly types: ReadonlyMap<string, string>;
  /** SQL of the relation, for all files or for one of them. */
  relation(fileIndex?: number): string;
  /** SQL of numbers that rise with the log (DOUBLE), for a relation that can be read again and again as fast as a table. */
  readonly placeSql?: string;
  /** Where the n-th row of a file is, for people; the first is 1. */
  placeOf(row: number): string;
  /** What to call the source in a message: the file, or the first of them. */
  readonly label: string;
}

/**
 * Opens CSV, TSV, JSON lines (plain, gzip or zstd) Parquet, or Arrow files, lists as one row per element, with the times that
 * are made of several columns. Nothing is guessed from the rows: cells of a text file are text unless a type is declared, a row
 * with too few or too many cells is an error, and so are broken quotes and bytes that are not UTF-8.
 *
 * @param temporaryDirectory where packed files are unpacked
 * @throws naming the file, when it is missing, empty, cut off or of another format
 */
export async function openSource(engine: Engine, dataset: FilesDataset, temporaryDirectory: string): Promise<Source> {
  const plain = await openFiles(engine, dataset, temporaryDirectory);
  const timed = withDerivedTimes(await unnestLists(engine, plain, dataset), dataset.derivedTimes ?? {});
  return withDeclaredTypes(engine, timed, dataset.columnTypes);
}

function withDerivedTimes(source: Source, derived: NonNullable<FilesDataset['derivedTimes']>): Source {
  const entries = Object.entries(derived);
  if (entries.length === 0) return source;
  const known = [...source.types.keys()];
  for (const [name, time] of entries) {
    const where = `dataset.derivedTimes.${name}`;
    if (source.types.has(name)) {
      throw new Error(`${where}: ${source.label} already has a column '${name}'; take another name`);
    }
    for (const part of partsOf(time)) {
      if (source.types.has(part)) continue;
      throw new Error(
        `${where}: ${source.label} has the columns ${list(known)}, but no '${part}'${didYouMean(part, known)}`,
      );
    }
  }
  const isNumbered = entries.some(([, time]) => 'fileNumber' in time);
  const relation = isNumbered ? withFileNumbers(source) : source.relation;
  const kept = isNumbered ? `* EXCLUDE (${FILE_NUMBER})` : '*';
  const made = entries.map(([name, time]) => `${derivedTimeSql(time)} AS ${sqlName(name)}`);
  return {
    ...source,
    types: new Map([...source.types, ...entries.map(([name]) => [name, 'TIMESTAMP'] as const)]),
    relation: (fileIndex) => `(SELECT ${kept}, ${made.join(', ')} FROM ${relation(fileIndex)})`,
    placeSql: undefined,
  };
}

/** The files one after another, each row with the number of its file; the first is 0. */
function withFileNumbers({ files, relation }: Source): Source['relation'] {
  const numbered = (index: number) => `SELECT *, ${index} AS ${FILE_NUMBER} FROM ${relation(index)}`;
  return (fileIndex) =>
    `(${fileIndex === undefined ? files.map((_, i) => numbered(i)).join(' UNION ALL ') : numbered(fileIndex)})`;
}

async function openFiles(engine: Engine, dataset: FilesDataset, temporaryDirectory: string): Promise<Source> {
  const files = await resolveFiles(dataset.files, globWith(engine));
  const format = formatOf(files, dataset.format);
  const label = files.length === 1 ? files[0].path : `${files[0].path} (first of ${files.length} files)`;
  if (format === 'parquet') {
    await assertParquetMagic(files);
    const relation = (fileIndex?: number) => {
      const paths = fileIndex === undefined ? files : [files[fileIndex]];
      return `read_parquet([${paths.map(({ path }) => sqlText(path)).join(', ')}], binary_as_string = true, hive_partitioning = false)`;
    };
    const placeOf = (row: number) => `row ${row}`;
    const types = await describe(engine, relation(), label);
    const isClear = !types.has('file_index') && !types.has('file_row_number');
    return { isText: false, files, types, relation, ...(isClear && { placeSql: PARQUET_PLACE }), placeOf, label };
  }

  if (format === 'arrow') return openArrowFiles(engine, files, label);

  const plainPaths: string[] = [];
  for (const [index, { path }] of files.entries()) {
    plainPaths.push(await unpackIfPacked(path, join(temporaryDirectory, `unpacked-${index}`)));
  }
  if (format === 'jsonl') return openJsonLines(engine, files, plainPaths, label);
  if (format === 'sequences') {
    const form = sequenceForm(dataset.header, dataset.separator);
    await assertSequences(engine, files, plainPaths, form);
    const numbered = [...plainPaths.entries()];
    const relation = (fileIndex?: number) =>
      sequenceRelation(fileIndex === undefined ? numbered : [numbered[fileIndex]], form, files.length === 1);
    const types = new Map(sequenceColumns(form).map((name) => [name, 'VARCHAR']));
    return { isText: true, files, types, relation, placeOf: (row) => `event ${row}`, label };
  }
  const separator = dataset.separator ?? (format === 'tsv' ? '\t' : undefined);
  const first = await readTextHeader(plainPaths[0], files[0].path, separator, dataset.quote);
  for (let i = 1; i < files.length; i++) {
    const other = await readTextHeader(plainPaths[i], files[i].path, first.separator, dataset.quote);
    if (!dataset.header && other.names.join('\n') !== first.names.join('\n')) {
      throw new Error(
        `${files[i].path}: its columns are ${list(other.names)}, but ${files[0].path} has ${list(first.names)}`,
      );
    }
  }
  const names = dataset.header ?? first.names;
  if (dataset.header && dataset.header.length !== first.names.length) {
    throw new Error(
      `dataset.header: ${dataset.header.length} names given, but ${files[0].path} has ${first.names.length} cells a line ` +
        `(separator ${JSON.stringify(first.separator)})`,
    );
  }
  const repeated = names.find((name, i) => names.indexOf(name) !== i);
  if (repeated !== undefined) throw new Error(`${label}: column '${repeated}' occurs twice in the header`);
  const columns = names.map((name) => `${sqlText(name)}: 'VARCHAR'`).join(', ');
  const quote = sqlText(dataset.quote === 'none' ? '' : (dataset.quote ?? '"'));
  const relation = (fileIndex?: number) => {
    const paths = fileIndex === undefined ? plainPaths : [plainPaths[fileIndex]];
    return (
      `read_csv([${paths.map(sqlText).join(', ')}], columns = {${columns}}, auto_detect = false, ` +
      `header = ${dataset.header ? 'false' : 'true'}, delim = ${sqlText(first.separator)}, quote = ${quote}, escape = ${quote}, ` +
      'strict_mode = true, null_padding = false, ignore_errors = false, hive_partitioning = false)'
    );
  };
  const placeOf = (row: number) => `row ${row}${dataset.header ? '' : ' after the header'}`;
  return { isText: true, files, types: new Map(names.map((name) => [name, 'VARCHAR'])), relation, placeOf, label };
}

/**
 * Checks that the mapped columns exist and are told apart.
 *
 * @throws listing the columns that do exist, with the near one
 */
export function assertColumns(source: Source, columns: FilesDataset['columns']): void {
  const known = [...source.types.keys()];
  const roles = new Map<string, string>();
  for (const [role, name] of Object.entries(columns)) {
    if (name === undefined) continue;
    if (!source.types.has(name)) {
      throw new Error(
        `dataset.columns.${role}: ${source.label} has the columns ${list(known)}, but no '${name}'${didYouMean(name, known)}`,
      );
    }
    const other = roles.get(name);
    if (other) throw new Error(`dataset.columns: '${name}' is mapped twice, as ${other} and as ${role}`);
    roles.set(name, role);
  }
}

/** @throws when a column that a feature needs does not exist, with the near one */
export function assertCarried(source: Source, columns: readonly { readonly name: string }[]): void {
  const known = [...source.types.keys()];
  for (const { name } of columns) {
    if (source.types.has(name)) continue;
    throw new Error(
      `features: ${source.label} has the columns ${list(known)}, but no '${name}'${didYouMean(name, known)}`,
    );
  }
}

/** Turns the engine's message about a bad row into one that names file and line. */
export function explainReadError(error: unknown, source: Source): Error {
  const text = messageOf(error);
  const line = /CSV Error on Line: (\d+)\s*\nOriginal Line:([^\n]*)/.exec(text);
  if (!line) return new Error(`${source.label}: cannot be read: ${text.split('\n')[0]}`);
  const cells = /Expected Number of Columns: (\d+) Found: (\d+)/.exec(text);
  const file = /file\s*=\s*(.+)/.exec(text)?.[1].trim();
  const unpacked = /unpacked-(\d+)$/.exec(file ?? '');
  const shown = unpacked ? source.files[Number(unpacked[1])].path : (file ?? source.label);
  let what = 'the row cannot be read';
  if (cells) what = `expected ${cells[1]} cells, got ${cells[2]}`;
  else if (/unterminated quote/i.test(text)) what = 'a quote is opened but not closed';
  else if (/not utf-8/i.test(text)) what = 'bytes that are not UTF-8; convert the file to UTF-8';
  return new Error(`${shown}, line ${line[1]}: ${what}: ${line[2].trim().slice(0, 120)}`);
}

async function describe(engine: Engine, relation: string, label: string): Promise<Map<string, string>> {
  try {
    const rows = await engine.rows(`DESCRIBE SELECT * FROM ${relation}`);
    return new Map(rows.map((row) => [String(row.column_name), String(row.column_type)]));
  } catch (error) {
    throw new Error(`${label}: cannot be read as Parquet: ${messageOf(error).split('\n')[0]}`);
  }
}

function list(names: readonly string[]): string {
  return names.map((name) => `'${name}'`).join(', ');
}

/** SQL of a cell that may be missing: empty, NULL and NaN become NULL. */
export function presentOrNull(source: Source, name: string, column = sqlName(name)): string {
  const type = source.types.get(name) ?? 'VARCHAR';
  if (type === 'VARCHAR') {
    const isMissing = `trim(${column}) IN ('', 'NULL', 'null', 'NaN', 'nan', '\\N')`;
    // Most cells are seen to be present by their length and ends, which is much faster than to trim them.
    const mayBeMissing = `strlen(${column}) <= 4 OR starts_with(${column}, ' ') OR ends_with(${column}, ' ')`;
    return `CASE WHEN ${mayBeMissing} THEN CASE WHEN ${isMissing} THEN NULL ELSE ${column} END ELSE ${column} END`;
  }
  if (type === 'DOUBLE' || type === 'FLOAT') return `CASE WHEN isfinite(${column}) THEN ${column} ELSE NULL END`;
  return column;
}

/** SQL of a place in an order (DOUBLE), NULL when it is missing or no number. */
export function orderSql(source: Source, name: string): string {
  return `TRY_CAST(${presentOrNull(source, name)} AS DOUBLE)`;
}
