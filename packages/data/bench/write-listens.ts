// Writes a log like last.fm-1K: `write-listens.ts <events in millions> <parquet|tsv> <file>`. Columns user, time, artist and
// track; about 15 listens in a row, three and a half minutes apart, over four years; a few artists get most of them. The rows of a
// user lie all over the file. The same arguments give the same file.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEngine } from '../src/read/engine.ts';

const [millions, format, file] = process.argv.slice(2);
const numSessions = Math.round((Number(millions) * 1_000_000) / 15);
const START = '2005-02-14';
const DAYS = 1500;
const spillDirectory = mkdtempSync(join(tmpdir(), 'nimue-bench-spill-'));
const engine = await openEngine({ memoryLimit: '3GB', spillDirectory });
/** A number in 0 … 1 that depends on the session, the place in it and a salt. */
const uniform = (salt: string) => `(hash(s * 1000 + p, '${salt}') % 1000003) / 1000003.0`;
const time = `TIMESTAMP '${START}' + to_milliseconds(CAST((hash(s, 'start') % ${DAYS * 86_400}) * 1000 + p * 210000 + hash(s * 1000 + p, 'pause') % 120000 AS BIGINT))`;
const written = format === 'tsv' ? `strftime(${time}, '%Y-%m-%dT%H:%M:%SZ')` : time;
await engine.run(
  `COPY (SELECT 'user_' || lpad(CAST(hash(s, 'user') % 992 AS VARCHAR), 6, '0') AS user, ${written} AS time, ` +
    `'artist ' || CAST(floor(100000 * pow(${uniform('artist')}, 4)) AS VARCHAR) AS artist, ` +
    `'track ' || CAST(floor(1000000 * pow(${uniform('track')}, 3)) AS VARCHAR) AS track ` +
    `FROM (SELECT s, unnest(range(1 + CAST(hash(s, 'length') % 29 AS BIGINT))) AS p FROM range(${numSessions}) t(s))) ` +
    `TO '${file}' (${format === 'tsv' ? "FORMAT csv, DELIMITER '\t', HEADER true" : 'FORMAT parquet'})`,
);
engine.close();
rmSync(spillDirectory, { recursive: true });
