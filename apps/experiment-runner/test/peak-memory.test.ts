import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { createNimueContainer, servicesOf } from '@nimue/container';

const BENCH = fileURLToPath(new URL('../bench/peak-memory.mjs', import.meta.url));
const services = servicesOf(createNimueContainer({ logger: { info() {}, warn() {} } }));
const reason = await services.chooseBackend('native').then(
  () => '',
  (error: Error) => ` (skipped: ${error.message})`,
);

(reason ? test.skip : test).each([
  ['session-like', 'gru4rec', {}],
  ['session-like', 'hstu', {}],
  ['session-like', 'bert4rec', {}],
  ['session-like', 'srgnn', {}],
  ['session-like', 'lrurec', {}],
  ['ML-1M-like', 'gsasrec', {}],
  ['session-like', 'sasrec', { averageDecay: 0.9, keepBest: ['ndcg@20', 'hr@20'] }],
  ['ML-1M-like', 'sasrec', {}],
])(
  `%s, %s, %j: the process takes what was said before training, to 20 %%${reason}`,
  async (workload, model, training) => {
    const { stdout } = await promisify(execFile)(process.execPath, [BENCH, workload, model, JSON.stringify(training)]);
    const { measured, peak, weights, optimizer } = JSON.parse(stdout);
    expect(peak / measured).toBeGreaterThan(0.8);
    expect(peak / measured).toBeLessThan(1.2);
    // Adam keeps two numbers for every weight of 4 bytes.
    expect(optimizer).toBe(2 * weights);
  },
  300_000,
);
