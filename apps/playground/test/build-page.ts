import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const APP = fileURLToPath(new URL('..', import.meta.url));

/** Builds the page into a folder, as `vite build` does outside of a test. @returns what the build said */
export function buildPage(folder: string): string {
  const local = join(APP, 'node_modules/.bin/vite');
  const vite = existsSync(local) ? local : join(APP, '../../node_modules/.bin/vite');
  const { status, stdout, stderr } = spawnSync(vite, ['build', '--outDir', folder, '--emptyOutDir'], {
    cwd: APP,
    env: { ...process.env, NODE_ENV: 'production' },
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stdout + stderr);
  return stdout + stderr;
}
