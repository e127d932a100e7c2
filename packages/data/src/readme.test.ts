import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { jest } from '@jest/globals';

const packageRoot = new URL('..', import.meta.url);

test('the example of the README runs', async () => {
  const readme = readFileSync(new URL('README.md', packageRoot), 'utf8');
  const code = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
  const folder = mkdtempSync(join(tmpdir(), 'nimue-readme-'));
  const lines: unknown[][] = [];
  const log = jest.spyOn(console, 'log').mockImplementation((...line: unknown[]) => {
    lines.push(line);
  });
  try {
    const file = join(folder, 'example.ts');
    const here = new URL('src/index.ts', packageRoot).pathname;
    writeFileSync(
      file,
      code
        .replace("'@nimue/data'", JSON.stringify(here))
        .replace("'prepared'", JSON.stringify(join(folder, 'prepared'))),
    );
    await import(pathToFileURL(file).href);
  } finally {
    log.mockRestore();
    rmSync(folder, { recursive: true, force: true });
  }
  expect(lines).toHaveLength(8);
  expect(lines.every(([inputs, , targets]) => inputs === targets && Number(inputs) >= 4)).toBe(true);
});
