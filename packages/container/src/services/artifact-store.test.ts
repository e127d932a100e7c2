import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createFileArtifactStore } from './artifact-store.ts';

describe('the artifact store', () => {
  const store = createFileArtifactStore();
  let folder = '';

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nimue-artifacts-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  test('writes a whole file and leaves no temporary one', async () => {
    await store.writeText(join(folder, 'a.txt'), 'text');
    expect(await readdir(folder)).toEqual(['a.txt']);
    expect(await readFile(join(folder, 'a.txt'), 'utf8')).toBe('text');
  });

  test('overwrites only when asked', async () => {
    const file = join(folder, 'a.txt');
    await store.writeText(file, 'first');
    await expect(store.writeText(file, 'second')).rejects.toThrow(
      `${file}: the file exists already and is left as it is; choose another name or remove it`,
    );
    expect(await readFile(file, 'utf8')).toBe('first');
    await store.writeText(file, 'third', { overwrite: true });
    expect(await readFile(file, 'utf8')).toBe('third');
    expect(await readdir(folder)).toEqual(['a.txt']);
  });

  test('makes a new folder with its parents, never an old one', async () => {
    const path = join(folder, 'b', 'c');
    await store.createFolder(path);
    await expect(store.createFolder(path)).rejects.toThrow(`${path}: the folder exists already`);
  });

  test('a line is on disk as soon as it is added', async () => {
    const file = join(folder, 'lines.jsonl');
    const lines = store.createLineFile(file);
    lines.append('{"a":1}');
    expect(await readFile(file, 'utf8')).toBe('{"a":1}\n');
    lines.append('{"a":2}');
    lines.close();
    expect(await readFile(file, 'utf8')).toBe('{"a":1}\n{"a":2}\n');
  });

  test('a line file is continued when asked, after its last whole line', async () => {
    const file = join(folder, 'lines.jsonl');
    await writeFile(file, 'älter\nhal');
    const lines = store.createLineFile(file, { continued: true });
    expect(lines.lines).toEqual(['älter']);
    lines.append('neu');
    lines.close();
    expect(await readFile(file, 'utf8')).toBe('älter\nneu\n');
  });

  test('a line file never continues an old one', async () => {
    const file = join(folder, 'lines.jsonl');
    await writeFile(file, 'old\n');
    expect(() => store.createLineFile(file)).toThrow(`${file}: the file exists already`);
    expect(await readFile(file, 'utf8')).toBe('old\n');
  });
});
