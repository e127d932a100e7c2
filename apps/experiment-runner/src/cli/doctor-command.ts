import { cpus } from 'node:os';
import { explainAbsence, probeBackends } from '@nimue/container';

/** `nimue doctor` */
export async function doctorCommand(options: { readonly json?: boolean }): Promise<void> {
  const reports = await probeBackends();
  const chosen = reports.find(({ result }) => result.available)?.name;
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ auto: chosen, backends: reports }, null, 2)}\n`);
    return;
  }
  for (const { name, result } of reports) {
    const text = result.available ? `loads: ${result.description}` : `not available: ${explainAbsence(result)}`;
    process.stdout.write(`${name.padEnd(11)}${text}\n`);
  }
  const processors = cpus();
  process.stdout.write(`${'auto'.padEnd(11)}runs on ${chosen}\n`);
  process.stdout.write(
    `${'machine'.padEnd(11)}Node.js ${process.version}, ${processors.length} × ${processors[0]?.model.trim() ?? 'unknown'}\n`,
  );
}
