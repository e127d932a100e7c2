import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { buildPage } from './build-page.ts';

const MAX_BYTES = 3_000_000;
const folder = mkdtempSync(join(tmpdir(), 'nimue-playground-'));
let printed = '';

beforeAll(() => {
  printed = buildPage(folder);
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

test('the service worker keeps every file, and itself is none of them', () => {
  const worker = readFileSync(join(folder, 'sw.js'), 'utf8');
  const kept = JSON.parse(/const FILES = (\[.*\]);/.exec(worker)?.[1] ?? '[]') as string[];
  expect(kept.sort()).toEqual(['./', ...allFiles().filter((name) => name !== 'sw.js')].sort());
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
