import { readFile } from 'node:fs/promises';

/** Resident memory of a process in bytes; undefined where the system does not tell, which only Linux does here, or it has ended. */
export async function residentMemory(pid: number): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const found = /^VmRSS:\s*(\d+) kB$/m.exec(status);
  return found ? Number(found[1]) * 1024 : undefined;
}
