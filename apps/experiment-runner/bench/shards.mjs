// One log prepared by one process and by nimue data prepare --shards 1, 2, 4, 8 on this machine, with the time of each step and
// the processors' seconds of all processes together; the results are compared. Needs a build (npx nx run-many -t build).
//
//   node apps/experiment-runner/bench/shards.mjs [--millions 5] [--shards 1,2,4,8] [--rounds 1]
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const RUNNER = fileURLToPath(new URL('..', import.meta.url));
const DATA = join(RUNNER, '../../packages/data');
const { values } = parseArgs({
  options: {
    millions: { type: 'string', default: '5' },
    shards: { type: 'string', default: '1,2,4,8' },
    rounds: { type: 'string', default: '1' },
  },
});
const folder = mkdtempSync(join(tmpdir(), 'nimue-shards-bench-'));
const log = join(folder, 'listens.parquet');

function run(command, args, cwd) {
  const startMs = performance.now();
  // bash knows what the processes of the processes took.
  const timed = ['-c', 'TIMEFORMAT="cpu %U %S"; time "$0" "$@"', command, ...args];
  const { status, stdout, stderr } = spawnSync('bash', timed, {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
  });
  if (status !== 0) throw new Error(stderr || stdout);
  const [, user, system] = /cpu ([\d.]+) ([\d.]+)/.exec(stderr);
  return { seconds: (performance.now() - startMs) / 1000, cpuSeconds: Number(user) + Number(system), stdout };
}

function hashOf(directory) {
  const hash = createHash('sha256');
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  for (const path of files.map(({ parentPath, name }) => join(parentPath, name)).sort()) {
    hash.update(path.slice(directory.length)).update(readFileSync(path));
  }
  return hash.digest('hex').slice(0, 16);
}

function prepare(numShards) {
  const prepared = join(folder, 'prepared');
  const pieces = numShards === undefined ? [] : ['--shards', `${numShards}`];
  const nimue = [join(RUNNER, 'bin/nimue.mjs'), 'data', 'prepare', join(folder, 'listens.yaml')];
  const { seconds, cpuSeconds, stdout } = run(process.execPath, [...nimue, '--prepared', prepared, ...pieces], folder);
  const hash = hashOf(join(prepared, readdirSync(prepared)[0]));
  rmSync(prepared, { recursive: true });
  const ends = {};
  for (const [, step, after] of stdout.matchAll(/^(\w+) \d+\/\d+ after (.*)$/gm)) ends[step] = after;
  return { seconds, cpuSeconds, hash, ends: Object.entries(ends).map(([step, after]) => `${step} ${after}`) };
}

try {
  const node = ['--conditions=@nimue/source', '--import', '../backend-native/bench/register-ts.mjs'];
  run(process.execPath, [...node, 'bench/write-listens.ts', values.millions, 'parquet', log], DATA);
  writeFileSync(
    join(folder, 'listens.yaml'),
    `name: listens
dataset: { files: ${JSON.stringify(log)}, columns: { user: user, item: artist, timestamp: time } }
sessions: { by: user, gapMinutes: 30 }
windows: { span: week, policy: incremental }
models: [{ name: popularity }]
evaluation: { metrics: [hr@20] }
`,
  );
  const megabytes = (statSync(log).size / 1e6).toFixed(0);
  console.log(`${values.millions} million events, ${megabytes} MB of Parquet, ${availableParallelism()} cores`);
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const numShards of [undefined, ...values.shards.split(',').map(Number)]) {
      const { seconds, cpuSeconds, hash, ends } = prepare(numShards);
      const name = numShards === undefined ? 'one process' : `${numShards} shards`;
      console.log(
        `${name.padEnd(12)}${seconds.toFixed(1).padStart(7)} s ${cpuSeconds.toFixed(1).padStart(7)} s of processors  ${hash}  ends of the steps: ${ends.join(', ')}`,
      );
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
