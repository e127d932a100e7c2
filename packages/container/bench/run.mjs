// Training steps of every neural model at the two workloads of the speed table, each in a process of its own; with
// NIMUE_TORCH_PYTHON the torch peers of GRU4Rec, SASRec, BERT4Rec and XLNet right after ours, in turn.
//
//   npm run bench -w @nimue/container [-- --backend native,wasm] [--workload session] [--rounds 3] [--steps 1] [model …]
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const python = process.env.NIMUE_TORCH_PYTHON;
const PEERS = ['gru4rec', 'sasrec', 'bert4rec', 'xlnet'];
const ALL =
  'gru4rec sasrec gsasrec esasrec gpt2 bert4rec bert albert electra xlnet transformerXl hstu lrurec narm stamp srgnn'.split(
    ' ',
  );
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    backend: { type: 'string', default: 'native' },
    workload: { type: 'string', default: 'session,ml1m' },
    rounds: { type: 'string', default: '1' },
    // cpu takes minutes for a step: --steps 1.
    steps: { type: 'string' },
  },
});

function measure(command, args) {
  const run = spawnSync(command, args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 });
  const line = run.stdout.split('\n').find((text) => text.startsWith('{'));
  if (line) return JSON.parse(line);
  const said = run.stderr.trim().split('\n');
  return { failure: said.find((text) => /Error/.test(text)) ?? said.at(-1) ?? 'no output' };
}

const ours = (...args) =>
  measure(process.execPath, [
    '--conditions=@nimue/source',
    '--import',
    '../backend-native/bench/register-ts.mjs',
    'bench/model-step.bench.ts',
    ...args,
  ]);
const median = (rows) => {
  const good = rows.filter(({ failure }) => !failure).sort((a, b) => a.medianMs - b.medianMs);
  return good[good.length >> 1] ?? rows[0];
};
const cell = (text, width) => String(text).padStart(width);

for (const workload of values.workload.split(',')) {
  console.log(`\n${workload}: one training step (objective, forward, backward, Adam)`);
  console.log(
    `${'model'.padEnd(15)}${'objective'.padEnd(14)}${'backend'.padEnd(12)}   ms/step sessions/s   peak MB   torch ms   times`,
  );
  for (const model of positionals.length > 0 ? positionals : ALL) {
    for (const backend of values.backend.split(',')) {
      const isPeer = python !== undefined && PEERS.includes(model) && backend === 'native';
      const rounds = Array.from({ length: Number(values.rounds) }, () => [
        ours(backend, workload, model, ...(values.steps ? [values.steps] : [])),
        isPeer ? measure(python, ['bench/torch/model_step.py', workload, model]) : undefined,
      ]);
      const own = median(rounds.map(([row]) => row));
      const peer = isPeer ? median(rounds.map(([, row]) => row)) : undefined;
      const start = model.padEnd(15) + (own.objective ?? '').padEnd(14) + backend.padEnd(12);
      if (own.failure) {
        console.log(`${start} ${own.failure}`);
        continue;
      }
      console.log(
        start +
          cell(own.medianMs.toFixed(1), 10) +
          cell(own.sessionsPerSecond.toFixed(0), 11) +
          cell(own.peakMemoryMb.toFixed(0), 10) +
          (peer?.medianMs
            ? cell(peer.medianMs.toFixed(0), 11) + cell(`${(peer.medianMs / own.medianMs).toFixed(1)}×`, 8)
            : cell(peer?.failure ?? '', 12)) +
          (own.numParts > 1 ? `   in ${own.numParts} parts` : ''),
      );
    }
  }
}
