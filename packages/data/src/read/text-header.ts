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
 * @throws when the file is empty or the line is longer than 64 KiB
 */
export async function readTextHeader(path: string, shownPath: string, separator?: string): Promise<TextHeader> {
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
  const used = separator ?? detectSeparator(line);
  return { separator: used, names: splitCells(line, used) };
}

function detectSeparator(line: string): string {
  const counts = SEPARATORS.map((candidate) => splitCells(line, candidate).length);
  const most = Math.max(...counts);
  return SEPARATORS[counts.indexOf(most)];
}

/** Cells of a line; quotes may hold separators, and a doubled quote stands for one. */
function splitCells(line: string, separator: string): string[] {
  const cells: string[] = [];
  let cell = '';
  let quoted = false;
  for (let i = 0; i < line.length; i++) {
    const letter = line[i];
    if (quoted && letter === '"' && line[i + 1] === '"') {
      cell += '"';
      i++;
    } else if (letter === '"' && (quoted || cell === '')) quoted = !quoted;
    else if (letter === separator && !quoted) {
      cells.push(cell.trim());
      cell = '';
    } else cell += letter;
  }
  cells.push(cell.trim());
  return cells;
}
