import { readFile, rename, writeFile } from 'node:fs/promises';
import { InputError } from '../input-error.ts';
import { type ResultRow, resultRowSchema } from './result-row.ts';

/**
 * Rows of a table, a line of JSON each: a run's folder may be gone long before its figures are.
 *
 * @returns none where there is no such file
 * @throws {InputError} when a line is no row, with its number
 */
export async function readKeptRows(path: string): Promise<ResultRow[]> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  return text.split('\n').flatMap((line, i) => (line.trim() === '' ? [] : [parseRow(line, `${path}:${i + 1}`)]));
}

function parseRow(line: string, place: string): ResultRow {
  const next = 'take the file back from version control, or remove the line and run its model again';
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw new InputError(`${place}: expected a row of results as JSON; ${(error as Error).message}; ${next}`);
  }
  const { data, error } = resultRowSchema.safeParse(value);
  if (data) return data;
  const [{ path, message }] = error.issues;
  throw new InputError(`${place}: ${path.join('.') || 'row'}: ${message}; ${next}`);
}

/** One line per model, in their order by name, so that a new figure changes one line. */
export async function writeKeptRows(path: string, rows: readonly ResultRow[]): Promise<void> {
  const ordered = [...rows].sort((a, b) => (a.model < b.model ? -1 : 1));
  const temporary = `${path}.part`;
  await writeFile(temporary, ordered.map((row) => `${JSON.stringify(row)}\n`).join(''));
  await rename(temporary, path);
}
