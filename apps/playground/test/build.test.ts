import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';

const APP = fileURLToPath(new URL('..', import.meta.url));
const MAX_BYTES = 3_000_000;
const folder = mkdtempSync(join(tmpdir(), 'nimue-playground-'));
let printed = '';

beforeAll(() => {
  const vite = join(APP, '../../node_modules/.bin/vite');
  const local = join(APP, 'node_modules/.bin/vite');
  const options = { cwd: APP, encoding: 'utf8' } as const;
  const built = spawnSync(
    statSync(local, { throwIfNoEntry: false }) ? local : vite,
    ['build', '--outDir', folder],
    options,
  );
  printed = built.stdout + built.stderr;
  if (built.status !== 0) throw new Error(printed);
});
afterAll(() => rmSync(folder, { recursive: true }));

test('models, objectives and features run in a browser: nothing of Node is bundled or missed', () => {
  expect(printed).not.toMatch(/externalized|could not be resolved|duckdb/i);
  const scripts = allFiles().filter((name) => name.endsWith('.js'));
  expect(scripts.length).toBeGreaterThan(0);
  for (const name of scripts) {
    expect(readFileSync(join(folder, name), 'utf8')).not.toMatch(/browser-external|from\s*["']node:|import\(["']node:/);
  }
});

test('the page is smaller than 3 MB, the model left out', () => {
  const bytes = allFiles()
    .filter((name) => !name.startsWith('model'))
    .reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
  expect(bytes).toBeGreaterThan(100_000);
  expect(bytes).toBeLessThan(MAX_BYTES);
});

function allFiles(): string[] {
  return (readdirSync(folder, { recursive: true }) as string[]).filter((name) => statSync(join(folder, name)).isFile());
}
