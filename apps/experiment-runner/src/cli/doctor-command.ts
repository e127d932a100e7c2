import { cpus } from 'node:os';
import {
  type BackendReport,
  type BackendSpeed,
  chooseBackend,
  explainAbsence,
  measureBackend,
  probeBackends,
} from '@nimue/container';
import Table from 'cli-table3';

/** `nimue doctor` */
export async function doctorCommand(options: { readonly json?: boolean }): Promise<void> {
  const reports: (BackendReport & { readonly speed?: BackendSpeed })[] = [];
  for (const report of await probeBackends()) reports.push({ ...report, ...(await speedOf(report)) });
  const chosen = reports.find(({ result }) => result.available)?.name;
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ auto: chosen, backends: reports }, null, 2)}\n`);
    return;
  }
  const table = new Table({
    head: ['backend', 'version', 'device', 'product', 'softmax head'],
    colAligns: ['left', 'left', 'left', 'right', 'right'],
    style: { head: [], border: [], compact: true },
  });
  for (const { name, result, speed } of reports) {
    if (!result.available || !speed) continue;
    table.push([name, result.version, result.device, gflops(speed.productGflops), gflops(speed.headGflops)]);
  }
  const say = (text: string) => process.stdout.write(`${text}\n`);
  say(table.toString());
  for (const { name, result } of reports) {
    if (!result.available) say(`${name} is not available: ${explainAbsence(result)}`);
  }
  const processors = cpus();
  say(
    `backend: auto runs on ${chosen}; product of two matrices, and loss and gradients of the softmax head, measured just now`,
  );
  say(`Node.js ${process.version}, ${processors.length} × ${processors[0]?.model.trim() ?? 'unknown'}`);
}

async function speedOf({ name, result }: BackendReport): Promise<{ speed?: BackendSpeed }> {
  if (!result.available) return {};
  await chooseBackend(name);
  return { speed: measureBackend() };
}

function gflops(value: number): string {
  return `${value >= 10 ? value.toFixed(0) : value.toFixed(1)} GFLOP/s`;
}
