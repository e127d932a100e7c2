import { type Engine, sqlText } from './engine.ts';
import type { SourceFile } from './source-files.ts';

/** Cannot occur in a text file that people wrote, so that a whole line is one cell. */
const NO_SEPARATOR = '\u0001';

/** The columns of a file of sequences. */
export const SEQUENCE_COLUMNS = ['user', 'item'] as const;

/**
 * SQL of text files with one sequence a line, `user item item …`, as rows of user and item in their order.
 *
 * @param paths of plain files
 */
export function sequenceRelation(paths: readonly string[], separator: string): string {
  return (
    '(SELECT cells[1] AS "user", unnest(cells[2:]) AS item FROM ' +
    `(SELECT string_split(trim(line), ${sqlText(separator)}) AS cells FROM ${linesOf(paths)}))`
  );
}

/** @throws naming the first line that has a user but no item */
export async function assertSequences(
  engine: Engine,
  files: readonly SourceFile[],
  plainPaths: readonly string[],
  separator: string,
): Promise<void> {
  for (const [i, { path }] of files.entries()) {
    const numbered = `SELECT row_number() OVER () AS n, trim(line) AS text FROM ${linesOf([plainPaths[i]])}`;
    const [row] = await engine
      .rows(
        `SELECT count(*) AS lines, min(n) FILTER (len(string_split(text, ${sqlText(separator)})) < 2) AS first, ` +
          `arg_min(text, n) FILTER (len(string_split(text, ${sqlText(separator)})) < 2) AS text FROM (${numbered})`,
      )
      .catch((error: Error) => {
        throw new Error(`${path}: cannot be read as lines of text: ${error.message.split('\n')[0]}`);
      });
    if (Number(row.lines) === 0) throw new Error(`${path}: the file is empty; expected lines of 'user item item …'`);
    if (row.first === null) continue;
    throw new Error(
      `${path}, line ${row.first}: expected 'user item item …' with ${JSON.stringify(separator)} ` +
        `between them, got '${String(row.text).slice(0, 80)}'`,
    );
  }
}

/** SQL of text files as rows with one column, `line`. @param paths of plain files */
export function linesOf(paths: readonly string[]): string {
  return (
    `read_csv([${paths.map(sqlText).join(', ')}], columns = {'line': 'VARCHAR'}, auto_detect = false, header = false, ` +
    `delim = ${sqlText(NO_SEPARATOR)}, quote = '', escape = '', max_line_size = 16777216)`
  );
}
