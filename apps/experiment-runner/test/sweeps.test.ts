import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { platform, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { TINY_EXPERIMENT } from './tiny-experiment.ts';

const NIMUE = fileURLToPath(new URL('../bin/nimue.mjs', import.meta.url));
let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nimue-sweeps-'));
  const base = TINY_EXPERIMENT.replace('  - name: popularity\n', '')
    .replace(/ {2}- { name: sasrec.*\n/, '')
    .replace('split: test', 'split: valid');
  await writeFile(join(folder, 'tiny.yaml'), base);
});
afterAll(() => rm(folder, { recursive: true }));

interface Outcome {
  readonly cell: Readonly<Record<string, unknown>>;
  readonly outcome: {
    readonly status: string;
    readonly error?: string;
    readonly result?: {
      readonly run: string;
      readonly models: { model: string; metrics: Record<string, { mean: number }> }[];
    };
  };
}

function start(...args: string[]) {
  const child = spawn(process.execPath, [NIMUE, ...args], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const done = new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) =>
    child.on('close', (code) => resolve({ code, stdout, stderr })),
  );
  return { child, done };
}

const cellsOf = (out: string) =>
  (JSON.parse(readFileSync(join(folder, out, 'tiny-sweep.json'), 'utf8')) as { cells: Outcome[] }).cells;
const scoreOf = ({ outcome }: Outcome) =>
  outcome.result?.models.find(({ model }) => model === 'gru4rec')?.metrics['ndcg@5'].mean ?? Number.NaN;

describe('successive halving', () => {
  test('the better half goes on, and again changes nothing', async () => {
    await writeFile(
      join(folder, 'halving.yaml'),
      `extends: tiny.yaml
sweep:
  strategy: halving
  numCells: 4
  factor: 2
  maxBudget: 2
  values: { training.learningRate: { min: 0.0001, max: 0.05, scale: log } }
`,
    );
    const first = await start('sweep', 'halving.yaml', '--out', 'halving').done;
    expect(first).toMatchObject({ code: 0 });
    expect(first.stdout).toContain('4 cells with training.epochs 1, then the best with 2\n');
    const cells = cellsOf('halving');
    const low = cells.filter(({ cell }) => cell['training.epochs'] === 1);
    const high = cells.filter(({ cell }) => cell['training.epochs'] === 2);
    expect([low.length, low.length + high.length]).toEqual([4, cells.length]);
    // One at a time: the schedule follows from the scores. The first of two goes on after the second result, and when all four
    // are known the best two have gone on; another one may have looked the better of fewer.
    const rate = ({ cell }: Outcome) => cell['training.learningRate'];
    const best = [...low].sort((a, b) => scoreOf(b) - scoreOf(a));
    const wanted = new Set([best[0], best[1], scoreOf(low[0]) >= scoreOf(low[1]) ? low[0] : low[1]].map(rate));
    expect(new Set(high.map(rate))).toEqual(wanted);
    const again = await start('sweep', 'halving.yaml', '--out', 'halving').done;
    expect(again.code).toBe(0);
    const reused = cellsOf('halving');
    expect(reused.map(({ outcome }) => outcome.status)).toEqual(cells.map(() => 'reused'));
    expect(reused.map(scoreOf)).toEqual(cells.map(scoreOf));
  });
});

describe('a sweep that is stopped', () => {
  /** The runs of all cells. */
  const runsIn = (out: string) => {
    const cells = join(folder, out, 'cells');
    if (!existsSync(cells)) return [];
    return readdirSync(cells).flatMap((cell) => {
      const runs = join(cells, cell, 'tiny');
      return existsSync(runs) ? readdirSync(runs).map((run) => join(runs, run)) : [];
    });
  };
  let expected: number[] = [];
  beforeAll(async () => {
    await writeFile(
      join(folder, 'grid.yaml'),
      `extends: tiny.yaml
training: { epochs: 20 }
sweep: { strategy: grid, values: { training.learningRate: [0.02, 0.01] } }
`,
    );
    expect(await start('sweep', 'grid.yaml', '--out', 'whole').done).toMatchObject({ code: 0 });
    expected = cellsOf('whole').map(scoreOf);
  });

  test.each(['SIGINT', 'SIGKILL'] as const)(
    'by %s: its cell goes on where it was, to the same figures',
    async (signal) => {
      const out = `stopped-${signal}`;
      const { child, done } = start('sweep', 'grid.yaml', '--out', out);
      const isLearning = () => runsIn(out).some((run) => readdirSync(run).includes('checkpoints'));
      while (!isLearning() && child.exitCode === null) await sleep(2);
      child.kill(signal);
      const { code, stderr } = await done;
      expect(code).toBe(signal === 'SIGINT' ? 130 : null);
      if (signal === 'SIGINT')
        expect(stderr).toContain(
          `stopping after this step, and saving; the same command goes on later, or nimue resume ${out}/tiny-sweep.yaml`,
        );
      // What the process was at ends with it, or shortly after its parent.
      await sleep(500);
      const [begun, ...others] = runsIn(out);
      expect(others).toEqual([]);
      expect(existsSync(join(begun, 'report.html'))).toBe(false);
      const again =
        signal === 'SIGINT' ? ['resume', join(out, 'tiny-sweep.yaml')] : ['sweep', 'grid.yaml', '--out', out];
      expect(await start(...again).done).toMatchObject({ code: 0 });
      expect(cellsOf(out).map(scoreOf)).toEqual(expected);
      // One run of each cell: the first was not begun anew.
      expect(runsIn(out)).toHaveLength(2);
      expect(runsIn(out)).toContain(begun);
    },
  );

  test('whose checkpoint is damaged meanwhile: its cell begins anew, to the same figures', async () => {
    const out = 'damaged';
    const { child, done } = start('sweep', 'grid.yaml', '--out', out);
    const checkpoints = () =>
      runsIn(out).flatMap((run) => {
        const kept = join(run, 'checkpoints');
        return existsSync(kept)
          ? readdirSync(kept).flatMap((file) => (/\.safetensors$/.test(file) ? [join(kept, file)] : []))
          : [];
      });
    while (checkpoints().length === 0 && child.exitCode === null) await sleep(2);
    child.kill('SIGKILL');
    await done;
    await sleep(500);
    const [begun] = runsIn(out);
    for (const file of checkpoints()) await truncate(file, 1000);
    const refused = await start('resume', begun).done;
    expect([refused.code, refused.stderr]).toEqual([
      2,
      expect.stringMatching(/^checkpoint .*\.safetensors cannot be used: .*; delete it to .*\n$/m),
    ]);
    expect(await start('sweep', 'grid.yaml', '--out', out).done).toMatchObject({ code: 0 });
    expect(cellsOf(out).map(scoreOf)).toEqual(expected);
    expect(runsIn(out)).toHaveLength(3);
  });
});

(platform() === 'linux' ? test : test.skip)(
  'a cell that takes more memory than the sweep may have fails, and says so',
  async () => {
    await writeFile(
      join(folder, 'memory.yaml'),
      `extends: tiny.yaml
training: { epochs: 400 }
sweep: { strategy: grid, memoryMiB: 40, values: { training.learningRate: [0.02, 0.01] } }
`,
    );
    const { code, stderr } = await start('sweep', 'memory.yaml', '--out', 'memory').done;
    expect([code, stderr]).toEqual([1, 'failed: every cell of the sweep failed\n']);
    for (const { outcome } of cellsOf('memory')) {
      expect(outcome.status).toBe('failed');
      expect(outcome.error).toMatch(
        /^the process took \d+ MiB, the sweep may have 40 MiB: raise sweep.memoryMiB, or make the model or its batches smaller$/,
      );
    }
  },
);
