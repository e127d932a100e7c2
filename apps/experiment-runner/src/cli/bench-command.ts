import { appendFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { probeBackends } from '@nimue/container';
import { stringify } from 'yaml';
import {
  type BenchCell,
  type BenchResult,
  benchCells,
  benchExperiment,
  benchMarkdown,
  judgeBench,
} from '../bench/bench-matrix.ts';
import { runInWorker } from '../sweep/worker.ts';
import { watchInterrupt } from './interrupt.ts';

const STORED = fileURLToPath(new URL('../../bench/results', import.meta.url));

export interface BenchCommandOptions {
  readonly backend: readonly string[];
  readonly out: string;
  readonly stored?: string;
  readonly update?: boolean;
  readonly json?: boolean;
}

/** `nimue bench`. @throws when a cell fails or its accuracy leaves the band */
export async function benchCommand({
  backend,
  out,
  stored = STORED,
  update,
  json,
}: BenchCommandOptions): Promise<void> {
  const available = (await probeBackends()).filter(({ result }) => result.available).map(({ name }) => name as string);
  const backends = backend.length > 0 ? backend : available.filter((name) => name !== 'cpu');
  const interrupt = watchInterrupt(() => process.stderr.write('\nstopping\n'));
  const temporary = await mkdtemp(join(tmpdir(), 'nimue-bench-'));
  const verdicts: ReturnType<typeof judgeBench>[] = [];
  const failures: string[] = [];
  try {
    await mkdir(out, { recursive: true });
    if (update) await mkdir(stored, { recursive: true });
    for (const cell of benchCells(backends)) {
      const name = `${cell.dataset}-${cell.model}-${cell.backend}`;
      try {
        const result = await runCell(cell, temporary, interrupt.signal);
        const text = `${JSON.stringify(result, null, 2)}\n`;
        await writeFile(join(out, `${name}.json`), text);
        const verdict = judgeBench(result, await readStored(join(stored, `${name}.json`)));
        if (update) await writeFile(join(stored, `${name}.json`), text);
        verdicts.push(verdict);
        if (!verdict.isWithinBand && !update)
          failures.push(`${name}: ${verdict.difference?.toFixed(4)} off the stored result`);
      } catch (error) {
        if (interrupt.signal.aborted) throw interrupt.signal.reason;
        failures.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  } finally {
    interrupt.stop();
    await rm(temporary, { recursive: true, force: true });
  }
  const table = benchMarkdown(verdicts);
  (json ? process.stderr : process.stdout).write(table);
  if (json) process.stdout.write(`${JSON.stringify({ cells: verdicts, failures }, null, 2)}\n`);
  // GitHub shows what this file holds as the summary of the job.
  if (process.env.GITHUB_STEP_SUMMARY)
    await appendFile(process.env.GITHUB_STEP_SUMMARY, `## Benchmark matrix\n\n${table}\n`);
  if (failures.length > 0) throw new Error(`${failures.length} cells are not as stored:\n${failures.join('\n')}`);
}

async function runCell(cell: BenchCell, folder: string, signal: AbortSignal): Promise<BenchResult> {
  const file = join(folder, `${cell.dataset}-${cell.model}-${cell.backend}.yaml`);
  await writeFile(file, stringify(benchExperiment(cell)));
  const { models, memoryBytes } = await runInWorker(
    file,
    { out: join(folder, 'runs'), prepared: join(folder, 'prepared') },
    signal,
  );
  const own = models.find(({ model }) => model === cell.model);
  if (!own) throw new Error(`no row for ${cell.model}`);
  const metrics = Object.entries(own.metrics).map(([metric, { mean }]) => [metric, Number(mean.toFixed(6))] as const);
  return {
    ...cell,
    metrics: Object.fromEntries(metrics),
    ...(own.numEventsRead > 0 && { trainEventsPerSecond: Math.round(own.numEventsRead / own.trainSeconds) }),
    memoryMiB: Math.round(memoryBytes / 2 ** 20),
  };
}

async function readStored(file: string): Promise<BenchResult | undefined> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as BenchResult);
}
