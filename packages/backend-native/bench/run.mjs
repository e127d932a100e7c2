// Every row of the table of targets: ours measured now, the torch peer's measured too when NIMUE_TORCH_PYTHON names a
// Python with torch, else the published figure (torch 2.13, official CPU wheel, 2 threads, quiet machine), marked "pub.".
// Wall time only means something on a quiet machine; "cpu" is the processor time of all threads together, which other
// programs disturb less: on two quiet cores the wall time comes close to half of it.
//
//   npm run bench -w @nimue/backend-native [-- row …]
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..');
const python = process.env.NIMUE_TORCH_PYTHON;

/** Published torch milliseconds, best variant, per row. */
const PUBLISHED = {
  'step-ml1m': 1670,
  'step-ml1m-bf16': 1670,
  'step-session': 368,
  'step-session-bf16': 368,
  'head-1280': 193,
  'head-5000': 1149,
  'head-10000': 365,
  'head-400k': 13_400,
  'attention-short': 10.8,
  'attention-short-4': 24.8,
  'attention-long': 135,
  'attention-long-4': 603,
  'gru-full': 37,
  'gru-packed': 16.2,
  norm: 19,
  adam: 14.7,
  matmul: 13.4,
  scores: 600,
  'scores-50k': 14_700,
};

/** Every row, in the order in which it is printed: training steps first, then the kernels as kernels.bench.ts has them. */
const ROWS = [
  'step-ml1m',
  'step-ml1m-bf16',
  'step-session',
  'step-session-bf16',
  'matmul',
  'head-1280',
  'head-5000',
  'head-10000',
  'head-400k',
  'sampled-head-400k',
  'linear',
  'linear-bf16',
  'attention-short',
  'attention-short-4',
  'attention-long',
  'attention-long-4',
  'attention-masked',
  'attention-biased',
  'attention-silu',
  'gru-full',
  'gru-packed',
  'norm',
  'adam',
  'adam-touched',
  'adagrad',
  'adagrad-touched',
  'sgd',
  'sgd-touched',
  'scores',
  'scores-50k',
];

function lines(command, args) {
  const run = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (run.status !== 0) throw new Error(`${command} ${args.join(' ')} failed:\n${run.stderr.slice(-2000)}`);
  return run.stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line));
}

const ours = (file, ...args) =>
  lines(process.execPath, [
    '--conditions=@nimue/source',
    '--import',
    './bench/register-ts.mjs',
    `bench/${file}`,
    ...args,
  ]);

const number = (x, digits = 1) => (x === undefined ? '' : x.toFixed(digits));

function print(row, torch) {
  const peer = torch ? [torch.medianMs, 'meas.'] : [PUBLISHED[row.key], 'pub.'];
  const extra = [
    row.javascriptShare !== undefined && `JS ${(100 * row.javascriptShare).toFixed(1)} %`,
    row.peakMemoryMb !== undefined && `peak ${row.peakMemoryMb.toFixed(0)} MB`,
    torch?.peakMemoryMb !== undefined && `torch peak ${torch.peakMemoryMb.toFixed(0)} MB`,
    torch?.usualMs !== undefined &&
      `usual torch ${torch.usualMs.toFixed(0)} ms (${(torch.usualMs / row.medianMs).toFixed(1)}×)`,
    ...Object.entries(row.timesFasterThan ?? {}).map(([other, times]) => `${times.toFixed(0)}× faster than ${other}`),
    row.scratchMb > 1 && `working space ${row.scratchMb.toFixed(0)} MB`,
    row.fallbacks?.length > 0 && `plain JavaScript: ${row.fallbacks.join(', ')}`,
  ].filter(Boolean);
  console.log(
    [
      row.name.padEnd(58),
      `${number(row.medianMs)} ms`.padStart(11),
      `best ${number(row.bestMs)}`.padStart(12),
      `cpu ${number(row.cpuMs)}`.padStart(12),
      (row.gflops ? `${number(row.gflops, 0)} GFLOP/s` : '').padStart(12),
      (row.shareOfPeak ? `${number(100 * row.shareOfPeak, 0)} %` : '').padStart(5),
      peer[0] === undefined ? '' : `torch ${number(peer[0])} ms (${peer[1]}) ${(peer[0] / row.medianMs).toFixed(1)}×`,
      extra.join(', '),
    ].join('  '),
  );
}

const wanted = process.argv.slice(2);
const unknown = wanted.filter((key) => !ROWS.includes(key));
if (unknown.length > 0) {
  console.error(`bench: no row named ${unknown.join(', ')}; the rows are ${ROWS.join(', ')}`);
  process.exit(2);
}
const keys = ROWS.filter((key) => wanted.length === 0 || wanted.includes(key));
for (const key of keys) {
  const isStep = key.startsWith('step-');
  const rows = isStep ? ours('training-step.bench.ts', key.slice(5)) : ours('kernels.bench.ts', key);
  const machine = rows.find((row) => row.key === 'machine');
  if (machine && key === keys.find((k) => !k.startsWith('step-'))) {
    console.log(
      `${machine.instructionSet}, ${machine.numThreads} threads, measured FMA peak ${number(machine.peakGflops, 0)} GFLOP/s`,
    );
  }
  const torch = python
    ? lines(python, [
        isStep ? 'bench/torch/training_step.py' : 'bench/torch/kernels.py',
        // The peer computes in float32 either way.
        (isStep ? key.slice(5) : key).replace('-bf16', ''),
      ])[0]
    : undefined;
  print(
    rows.find((row) => row.key === key),
    torch,
  );
}
