import { openEngine, sqlName, sqlText } from './engine.ts';

export interface CandidatesFile {
  /** CSV, TSV or Parquet. */
  readonly file: string;
  /** Column of raw item ids. */
  readonly item: string;
  /** Column of window ids as `WindowInfo.id` has them; without it the list holds for every window. */
  readonly window?: string;
}

/** What may be recommended in a window, by raw item id. */
export interface Candidates {
  /** @throws when the file has no row for the window */
  of(windowId: string): readonly string[];
}

/**
 * Reads the items that may be recommended, such as those that were for sale, once or per window. An item that comes twice
 * counts once.
 *
 * @throws when the file cannot be read, a column is missing, or a cell is empty
 */
export async function readCandidates({ file, item, window }: CandidatesFile): Promise<Candidates> {
  const engine = await openEngine();
  try {
    const relation = /\.(parquet|pq)$/i.test(file)
      ? `read_parquet(${sqlText(file)})`
      : `read_csv(${sqlText(file)}, header = true, all_varchar = true)`;
    const described = await engine.rows(`DESCRIBE SELECT * FROM ${relation}`).catch((error: Error) => {
      throw new Error(`${file}: cannot be read: ${error.message.split('\n')[0]}`);
    });
    const names = described.map((row) => String(row.column_name));
    for (const name of window === undefined ? [item] : [item, window]) {
      if (names.includes(name)) continue;
      throw new Error(
        `${file}: expected a column '${name}', got ${names.map((other) => `'${other}'`).join(', ')}; name it in evaluation.candidates`,
      );
    }
    const text = (name: string) => `CAST(${sqlName(name)} AS VARCHAR)`;
    const byWindow = new Map<string, string[]>();
    const place = window === undefined ? "''" : text(window);
    const sql = `SELECT DISTINCT ${place} AS w, ${text(item)} AS i FROM ${relation} ORDER BY w, i`;
    for await (const chunk of engine.stream(sql)) {
      const windows = chunk.getColumnValues(0);
      for (const [row, id] of chunk.getColumnValues(1).entries()) {
        if (id === null || windows[row] === null) throw new Error(`${file}: a row without an item or a window`);
        const own = byWindow.get(String(windows[row])) ?? [];
        own.push(String(id));
        byWindow.set(String(windows[row]), own);
      }
    }
    return {
      of(windowId) {
        const found = byWindow.get(window === undefined ? '' : windowId);
        if (found) return found;
        const there = [...byWindow.keys()].slice(0, 3).map((id) => `'${id}'`);
        throw new Error(
          window === undefined
            ? `${file}: no candidate in it`
            : `${file}: no candidate for window '${windowId}' in column '${window}', which has ${there.join(', ')} …; write window ids as the report has them`,
        );
      },
    };
  } finally {
    engine.close();
  }
}
