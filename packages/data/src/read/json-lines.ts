import { type Engine, messageOf, sqlText } from './engine.ts';
import type { Source } from './open-source.ts';
import { linesOf } from './sequence-lines.ts';
import type { SourceFile } from './source-files.ts';

/**
 * Opens files with one JSON object a line. Numbers stay numbers, everything else is read as text.
 *
 * @param plainPaths of the unpacked files
 * @throws naming the first line that is no JSON object
 */
export async function openJsonLines(
  engine: Engine,
  files: readonly SourceFile[],
  plainPaths: readonly string[],
  label: string,
): Promise<Source> {
  for (const [i, { path, bytes }] of files.entries()) {
    if (bytes === 0) throw new Error(`${path}: the file is empty; expected one JSON object a line`);
    await assertObjects(engine, path, plainPaths[i]);
  }
  const found = await engine
    .rows(
      `DESCRIBE SELECT * FROM read_ndjson([${plainPaths.map(sqlText).join(', ')}], maximum_depth = 1, sample_size = -1)`,
    )
    .catch((error: unknown) => {
      throw new Error(`${label}: cannot be read as one JSON object a line: ${messageOf(error).split('\n')[0]}`);
    });
  const types = new Map(
    found.map(({ column_name, column_type }) => {
      const type = String(column_type);
      return [String(column_name), /^(U?BIGINT|DOUBLE|BOOLEAN)$/.test(type) ? type : 'VARCHAR'];
    }),
  );
  const columns = [...types].map(([name, type]) => `${sqlText(name)}: '${type}'`).join(', ');
  const relation = (fileIndex?: number) => {
    const paths = fileIndex === undefined ? plainPaths : [plainPaths[fileIndex]];
    return `read_ndjson([${paths.map(sqlText).join(', ')}], columns = {${columns}})`;
  };
  return { isText: true, files, types, relation, placeOf: (row) => `line ${row}`, label };
}

async function assertObjects(engine: Engine, path: string, plainPath: string): Promise<void> {
  const isObject = "CASE WHEN json_valid(line) THEN json_type(line) = 'OBJECT' ELSE false END";
  const numbered = `SELECT row_number() OVER () AS n, line FROM ${linesOf([plainPath])}`;
  const [row] = await engine
    .rows(
      `SELECT min(n) AS first, arg_min(line, n) AS line FROM (${numbered}) WHERE trim(line) <> '' AND NOT ${isObject}`,
    )
    .catch((error: unknown) => {
      throw new Error(`${path}: cannot be read as lines of text: ${messageOf(error).split('\n')[0]}`);
    });
  if (row.first === null) return;
  throw new Error(`${path}, line ${row.first}: expected a JSON object, got '${String(row.line).slice(0, 80)}'`);
}
