// One preparation from a log of listens to sessions per day, in a process of its own:
// `listens-to-sessions.bench.ts <file> <folder> [memory limit]`; prints one line of JSON. With ALONE=1 without a helper thread.
import { existsSync, rmSync } from 'node:fs';
import { prepareWindows } from '../src/prepare/prepare-windows.ts';
import { datasetSchema } from '../src/read/dataset-schema.ts';
import { sessionsSchema } from '../src/sessions/sessions-schema.ts';
import { windowsSchema } from '../src/windows/windows-schema.ts';

const [files, directory, memoryLimit] = process.argv.slice(2);
const stages: Record<string, number> = {};
const startMs = performance.now();
const dataset = await prepareWindows({
  dataset: datasetSchema.parse({ files, columns: { user: 'user', item: 'artist', timestamp: 'time' } }),
  sessions: sessionsSchema.parse({ by: 'user', gapMinutes: 30, minLength: 2 }),
  windows: windowsSchema.parse({ span: 'day' }),
  directory,
  memoryLimit,
  // As in the compiled package, whose threads are used where they are built.
  helperThread: existsSync(new URL('../dist/prepare/write-worker.js', import.meta.url)) && !process.env.ALONE,
  onProgress: ({ stage }) => {
    stages[stage] ??= (performance.now() - startMs) / 1000;
  },
});
const seconds = (performance.now() - startMs) / 1000;
const { numEvents, numKeptSessions } = dataset.counts;
dataset.close();
rmSync(dataset.directory, { recursive: true });
const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
const peakMemoryMb = Math.round(maxRSS / 1024);
const cpuSeconds = (userCPUTime + systemCPUTime) / 1e6;
console.log(
  JSON.stringify({
    seconds,
    cpuSeconds,
    peakMemoryMb,
    numEvents,
    numSessions: numKeptSessions,
    numWindows: dataset.windows.length,
    stages,
  }),
);
