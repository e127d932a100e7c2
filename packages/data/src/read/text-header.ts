import { open } from 'node:fs/promises';

const HEADER_BYTES = 1 << 16;
const SEPARATORS = [',', ';', '\t', '|'];

/** First line of a text file and how it is cut. */
export interface TextHeader {
  readonly separator: string;
  readonly names: readonly string[];
}

/**
 * Reads the first line of a (plain) text file: the column names, or the cells of the first row.
 *
 * @param separator default: the most frequent of , ; tab |
 * @param quote `none` where quotes are letters
 * @throws when the file is empty or the line is longer than 64 KiB
 */
export async function readTextHeader(
  path: string,
  shownPath: string,
  separator?: string,
  quote: string | undefined = '"',
): Promise<TextHeader> {
  const file = await open(path);
  let text: string;
  try {
    const buffer = Buffer.alloc(HEADER_BYTES);
    const { bytesRead } = await file.read(buffer, 0, HEADER_BYTES, 0);
    text = buffer
      .subarray(0, bytesRead)
      .toString('utf8')
      .replace(/^\uFEFF/, '');
  } finally {
    await file.close();
  }
  if (text.trim() === '') throw new Error(`${shownPath}: the file is empty; expected a header line and events`);
  const end = text.search(/[\r\n]/);
  if (end < 0 && text.length >= HEADER_BYTES) {
    throw new Error(`${shownPath}: no end of line in the first 64 KiB; is this a text file with one event a line?`);
  }
  const line = end < 0 ? text : text.slice(0, end);
  const used = separator ?? detectSeparator(line, quote);
  return { separator: used, names: splitCells(line, used, quote) };
}

function detectSeparator(line: string, quote: string): string {
  const counts = SEPARATORS.map((candidate) => splitCells(line, candidate, quote).length);
  const most = Math.max(...counts);
  return SEPARATORS[counts.indexOf(most)];
}

/** Cells of a line; quotes may hold separators, and a doubled quote stands for one. */
function splitCells(line: string, separator: string, quote: string): string[] {
  const cells: string[] = [];
  let cell = '';
  let quoted = false;
  for (let i = 0; i < line.length; i++) {
    const letter = line[i];
    if (quoted && letter === quote && line[i + 1] === quote) {
      cell += quote;
      i++;
    } else if (letter === quote && (quoted || cell === '')) quoted = !quoted;
    else if (!quoted && line.startsWith(separator, i)) {
      cells.push(cell.trim());
      cell = '';
      i += separator.length - 1;
    } else cell += letter;
  }
  cells.push(cell.trim());
  return cells;
}
