import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FilesDataset } from '../read/dataset-schema.ts';
import { openEngine } from '../read/engine.ts';
import { explainReadError, openSource, presentOrNull } from '../read/open-source.ts';
import { detectTimeUnit, MS_PER_UNIT } from '../read/time-unit.ts';

const ISO = 'iso' as const;
const TYPED = 'typed' as const;

/** What a look over a log finds about one of its columns. */
export interface LogColumn {
  readonly name: string;
  /** A few values, as text. */
  readonly examples: readonly string[];
  /** About how many different values there are. */
  readonly numValues: number;
  readonly numMissing: number;
  /** First and last time in milliseconds since 1970, where every value can be read as a time between 1990 and 2100. */
  readonly times?: {
    readonly fromMs: number;
    readonly toMs: number;
    /** What the numbers probably count since 1970, `iso` for written dates, `typed` where the file itself says that they are times. */
    readonly unit: 's' | 'ms' | 'us' | 'ns' | 'iso' | 'typed';
  };
}

/** What a log holds, before anybody has said which column is what. */
export interface LogDescription {
  readonly numRows: number;
  readonly columns: readonly LogColumn[];
}

/**
 * Reads a log once and describes its columns. Where the item column of a data set is a list, an element is a row.
 *
 * @param log a file of any format that is read, or the `dataset` section that says how to read it
 * @throws naming the file, when it is missing, empty, cut off or of another format
 */
export async function describeLog(log: string | FilesDataset): Promise<LogDescription> {
  const temporaryDirectory = await mkdtemp(join(tmpdir(), 'nimue-describe-'));
  const engine = await openEngine({ spillDirectory: join(temporaryDirectory, 'spill') });
  try {
    const dataset: FilesDataset =
      typeof log === 'string' ? { files: log, columns: { item: '' }, onMissing: 'drop' } : log;
    const source = await openSource(engine, dataset, temporaryDirectory);
    const names = [...source.types.keys()];
    const parts = names.flatMap((name, c) => {
      const column = `nullif(trim(CAST(${presentOrNull(source, name)} AS VARCHAR)), '')`;
      const number = `try_cast(${column} AS DOUBLE)`;
      const time = `epoch_ms(try_cast(${column} AS TIMESTAMP))`;
      return [
        `count(${column}) AS count${c}`,
        `approx_count_distinct(${column}) AS values${c}`,
        `count(${number}) AS numbers${c}`,
        `min(${number}) AS least${c}`,
        `max(${number}) AS most${c}`,
        `count(${time}) AS times${c}`,
        `min(${time}) AS first${c}`,
        `max(${time}) AS last${c}`,
      ];
    });
    let row: Record<string, unknown>;
    let examples: Record<string, unknown>[];
    try {
      [row] = await engine.rows(`SELECT count(*) AS numRows, ${parts.join(', ')} FROM ${source.relation()}`);
      examples = await engine.rows(`SELECT * FROM ${source.relation()} LIMIT 3`);
    } catch (error) {
      throw explainReadError(error, source);
    }
    const numRows = Number(row.numRows);
    const columns = names.map((name, c): LogColumn => {
      const count = Number(row[`count${c}`]);
      const of = (what: string) => Number(row[`${what}${c}`]);
      const unit = of('numbers') === count ? detectTimeUnit(of('least'), of('most')) : undefined;
      const times = unit
        ? { fromMs: of('least') * MS_PER_UNIT[unit], toMs: of('most') * MS_PER_UNIT[unit], unit }
        : of('times') === count && of('numbers') < count
          ? { fromMs: of('first'), toMs: of('last'), unit: isText(source.types.get(name)) ? ISO : TYPED }
          : undefined;
      return {
        name,
        examples: examples.map((example) => String(example[name] ?? '')),
        numValues: of('values'),
        numMissing: numRows - count,
        ...(count > 0 && times && { times }),
      };
    });
    return { numRows, columns };
  } finally {
    engine.close();
    await rm(temporaryDirectory, { recursive: true, force: true });
  }
}

function isText(type: string | undefined): boolean {
  return type === 'VARCHAR';
}
