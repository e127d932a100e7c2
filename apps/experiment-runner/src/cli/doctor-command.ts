import { cpus } from 'node:os';
import {
  type BackendReport,
  type BackendSpeed,
  chooseBackend,
  explainAbsence,
  measureBackend,
  probeBackends,
} from '@nimue/container';

/** `nimue doctor` */
export async function doctorCommand(options: { readonly json?: boolean }): Promise<void> {
  const reports: (BackendReport & { readonly speed?: BackendSpeed })[] = [];
  for (const report of await probeBackends()) reports.push({ ...report, ...(await speedOf(report)) });
  const chosen = reports.find(({ result }) => result.available)?.name;
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ auto: chosen, backends: reports }, null, 2)}\n`);
    return;
  }
  const line = (name: string, text: string) => process.stdout.write(`${name.padEnd(16)}${text}\n`);
  for (const { name, result, speed } of reports) {
    if (!result.available) line(name, `not available: ${explainAbsence(result)}`);
    else line(name, `loads: ${result.description}${speed ? `; ${describe(speed)}` : ''}`);
  }
  const processors = cpus();
  line('auto', `runs on ${chosen}`);
  line('machine', `Node.js ${process.version}, ${processors.length} × ${processors[0]?.model.trim() ?? 'unknown'}`);
}

async function speedOf({ name, result }: BackendReport): Promise<{ speed?: BackendSpeed }> {
  if (!result.available) return {};
  await chooseBackend(name);
  return { speed: measureBackend() };
}

function describe({ productGflops, headGflops }: BackendSpeed): string {
  const round = (gflops: number) => (gflops >= 10 ? gflops.toFixed(0) : gflops.toFixed(1));
  return `matrix product ${round(productGflops)} GFLOP/s, softmax head ${round(headGflops)}`;
}
