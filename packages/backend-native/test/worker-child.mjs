// Run as a process by process.test.ts: several worker threads use one addon at once and end before the process does.
import { createRequire } from 'node:module';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

const path = isMainThread ? process.argv[2] : workerData;
const size = 96;

function work() {
  const addon = createRequire(import.meta.url)(path);
  addon.setNumThreads(2);
  const a = Float32Array.from({ length: size * size }, (_, i) => (i % 7) - 3);
  const c = new Float32Array(size * size);
  let checksum = 0;
  for (let round = 0; round < 200; round++) {
    addon.matMul(1, size, size, size, 0, 0, 0, 1, a, a, c);
    checksum = c.reduce((sum, x) => sum + x, 0);
  }
  return checksum;
}

if (isMainThread) {
  const results = await Promise.all(
    Array.from(
      { length: 4 },
      () =>
        new Promise((resolve, reject) => {
          const worker = new Worker(new URL(import.meta.url), { workerData: path });
          worker.on('message', resolve);
          worker.on('error', reject);
        }),
    ),
  );
  console.log(new Set([...results, work()]).size === 1 ? 'all equal' : 'different');
} else {
  parentPort.postMessage(work());
}
