import { openEngine, sqlName, sqlText } from './engine.ts';

export interface TitlesFile {
  /** CSV, TSV or Parquet, plain or gzip; the log itself may hold them. */
  readonly file: string;
  /** Column of raw item ids. */
  readonly item: string;
  /** Columns that make up the title together, such as artist and track. */
  readonly title: readonly string[];
  /** Between the cells of a text file. Default: guessed. */
  readonly separator?: string;
  /** Names for the columns of a text file without a header line. */
  readonly header?: readonly string[];
}

/**
 * What people call items: raw item id → title. Of several rows of an item the first with a title counts; several columns are
 * joined by ` – `.
 *
 * @throws when the file cannot be read or a column is missing
 */
export async function readTitles({ file, item, title, separator, header }: TitlesFile): Promise<Map<string, string>> {
  const engine = await openEngine();
  try {
    const relation = /\.(parquet|pq)$/i.test(file)
      ? `read_parquet(${sqlText(file)})`
      : `read_csv(${[
          sqlText(file),
          'all_varchar = true',
          ...(separator === undefined ? [] : [`delim = ${sqlText(separator)}`]),
          ...(header === undefined
            ? ['header = true']
            : ['header = false', `names = [${header.map(sqlText).join(', ')}]`]),
        ].join(', ')})`;
    const described = await engine.rows(`DESCRIBE SELECT * FROM ${relation}`).catch((error: Error) => {
      throw new Error(`${file}: cannot be read: ${error.message.split('\n')[0]}`);
    });
    const names = described.map((row) => String(row.column_name));
    for (const name of [item, ...title]) {
      if (names.includes(name)) continue;
      throw new Error(`${file}: expected a column '${name}', got ${names.map((other) => `'${other}'`).join(', ')}`);
    }
    const text = (name: string) => `NULLIF(TRIM(CAST(${sqlName(name)} AS VARCHAR)), '')`;
    const whole = `NULLIF(CONCAT_WS(' – ', ${title.map(text).join(', ')}), '')`;
    const sql = `SELECT ${text(item)} AS i, FIRST(${whole}) FILTER (${whole} IS NOT NULL) AS t FROM ${relation} WHERE ${text(item)} IS NOT NULL GROUP BY i`;
    const titles = new Map<string, string>();
    for await (const chunk of engine.stream(sql)) {
      const found = chunk.getColumnValues(1);
      for (const [row, id] of chunk.getColumnValues(0).entries()) {
        if (found[row] !== null) titles.set(String(id), String(found[row]));
      }
    }
    return titles;
  } finally {
    engine.close();
  }
}
