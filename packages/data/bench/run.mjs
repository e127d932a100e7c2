// From a log of listens to sessions per day: writes the log, prepares it in a process of its own, and with NIMUE_TORCH_PYTHON
// runs polars, pandas and DuckDB's SQL on the same file right after.
//
//   npm run bench -w @nimue/data [-- --millions 20 --format parquet --memory 500MB --tools duckdb,polars]
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { values } = parseArgs({
  options: {
    millions: { type: 'string', default: '20' },
    format: { type: 'string', default: 'parquet' },
    memory: { type: 'string' },
    tools: { type: 'string', default: 'polars,pandas,duckdb' },
  },
});
const folder = mkdtempSync(join(tmpdir(), 'nimue-bench-'));
const file = join(folder, `listens.${values.format}`);

function run(command, args) {
  const { stdout, stderr } = spawnSync(command, args, { cwd: root, encoding: 'utf8' });
  const line = stdout.split('\n').find((text) => text.startsWith('{'));
  return line ? JSON.parse(line) : { failure: stderr.trim().split('\n').at(-1) || 'no output' };
}
const node = (script, ...args) =>
  run(process.execPath, [
    '--conditions=@nimue/source',
    '--import',
    '../backend-native/bench/register-ts.mjs',
    `bench/${script}`,
    ...args,
  ]);
function show(name, { seconds, peakMemoryMb, numSessions, failure }) {
  if (failure) console.log(`${name.padEnd(12)}${failure}`);
  else
    console.log(
      `${name.padEnd(12)}${seconds.toFixed(1).padStart(7)} s${String(peakMemoryMb).padStart(8)} MB${String(numSessions).padStart(12)} sessions`,
    );
}

try {
  const { failure } = node('write-listens.ts', values.millions, values.format, file);
  if (!existsSync(file)) throw new Error(`the log could not be written: ${failure}`);
  console.log(`${values.millions} million events, ${values.format}`);
  const limit = values.memory ? [values.memory] : [];
  show('nimue', node('listens-to-sessions.bench.ts', file, join(folder, 'prepared'), ...limit));
  if (process.env.NIMUE_TORCH_PYTHON) {
    for (const tool of values.tools.split(',')) {
      show(tool, run(process.env.NIMUE_TORCH_PYTHON, ['bench/peers/sessions.py', tool, file, join(folder, tool)]));
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
