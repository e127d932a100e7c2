import { type Engine, sqlText } from './engine.ts';
import type { SourceFile } from './source-files.ts';

/** Cannot occur in a text file that people wrote, so that a whole line is one cell. */
const NO_SEPARATOR = '\u0001';
/** Space and tab, as SQL. */
const SPACES = "' ' || chr(9)";

/** How the lines of a file of sequences are to be read. */
export interface SequenceForm {
  /** What separates the cells of a line; by default a space or a tab does. */
  readonly separator?: string;
  /** `user item item …`, or every line a session of its own, `item item …`. */
  readonly first: 'user' | 'item';
}

/**
 * What a line of sequences begins with.
 *
 * @param header as the data set names the cells of a line: nothing, or `['item']`
 */
export function sequenceForm(header: readonly string[] | undefined, separator: string | undefined): SequenceForm {
  const names = header?.join(' ') ?? 'user item';
  if (names === 'user item') return { separator, first: 'user' };
  if (names === 'item') return { separator, first: 'item' };
  throw new Error(
    `dataset.header: lines of sequences are 'user item item …', or with header: [item] 'item item …'; got [${header?.join(', ')}]`,
  );
}

/** The columns that lines of sequences become. */
export function sequenceColumns({ first }: SequenceForm): readonly string[] {
  return first === 'user' ? ['user', 'item'] : ['line', 'number', 'item'];
}

/**
 * SQL of text files with one sequence a line, as rows in their order: of user and item, or of line, number and item. The
 * number is that of the line in its file, from 1; with several files line `2.7` is the seventh of the second.
 *
 * @param files numbers from 0 and paths of plain files
 */
export function sequenceRelation(
  files: readonly (readonly [index: number, path: string])[],
  form: SequenceForm,
  isOne: boolean,
): string {
  const cells = splitSql('line', form);
  if (form.first === 'user') {
    const lines = linesOf(files.map(([, path]) => path));
    return `(SELECT cells[1] AS "user", unnest(cells[2:]) AS item FROM (SELECT ${cells} AS cells FROM ${lines}))`;
  }
  const parts = files.map(([index, path]) => {
    const numbered = `SELECT CAST(row_number() OVER () AS VARCHAR) AS number, ${cells} AS cells FROM ${linesOf([path])}`;
    const id = isOne ? 'number' : `${sqlText(`${index + 1}.`)} || number`;
    return `SELECT ${id} AS line, number, unnest(cells) AS item FROM (${numbered})`;
  });
  return `(${parts.join(' UNION ALL ')})`;
}

function splitSql(text: string, { separator }: SequenceForm): string {
  if (separator === undefined) return `string_split_regex(trim(${text}, ${SPACES}), '[ \\t]')`;
  return `string_split(trim(${text}), ${sqlText(separator)})`;
}

/** @throws naming the first line that has too few cells: a user but no item, or nothing at all */
export async function assertSequences(
  engine: Engine,
  files: readonly SourceFile[],
  plainPaths: readonly string[],
  form: SequenceForm,
): Promise<void> {
  const expected = form.first === 'user' ? 'user item item …' : 'item item …';
  const isShort = form.first === 'user' ? `len(${splitSql('text', form)}) < 2` : `trim(text, ${SPACES}) = ''`;
  for (const [i, { path }] of files.entries()) {
    const numbered = `SELECT row_number() OVER () AS n, trim(line) AS text FROM ${linesOf([plainPaths[i]])}`;
    const [row] = await engine
      .rows(
        `SELECT count(*) AS lines, min(n) FILTER (${isShort}) AS first, ` +
          `arg_min(text, n) FILTER (${isShort}) AS text FROM (${numbered})`,
      )
      .catch((error: Error) => {
        throw new Error(`${path}: cannot be read as lines of text: ${error.message.split('\n')[0]}`);
      });
    if (Number(row.lines) === 0) throw new Error(`${path}: the file is empty; expected lines of '${expected}'`);
    if (row.first === null) continue;
    const between = form.separator === undefined ? 'a space or tab' : JSON.stringify(form.separator);
    throw new Error(
      `${path}, line ${row.first}: expected '${expected}' with ${between} between them, got '${String(row.text).slice(0, 80)}'`,
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
