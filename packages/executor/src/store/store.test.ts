import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { S3_SERVER_NAME, type S3Server, startS3Server } from '../../test/s3-server.ts';
import { openStore, type Store } from '../index.ts';

const folder = mkdtempSync(join(tmpdir(), 'nimue-store-'));
let server: S3Server;
let endpoint = '';

beforeAll(async () => {
  server = await startS3Server('experiments');
  Object.assign(process.env, server.environment);
  endpoint = server.endpoint;
});
afterAll(async () => {
  await server.remove();
  rmSync(folder, { recursive: true });
});

const STORES: Record<string, () => Promise<Store>> = {
  'a folder': () => openStore(join(folder, 'shared')),
  'a folder that may be lost': () => openStore(`${pathToFileURL(join(folder, 'scratch')).href}?sync=no`),
  [`a bucket of ${S3_SERVER_NAME}`]: () => openStore(`s3://experiments/some/prefix?endpoint=${endpoint}`),
};

describe.each(Object.keys(STORES))('%s', (name) => {
  let store: Store;
  beforeAll(async () => {
    store = await STORES[name]();
  });

  test('a file is written once, read whole, listed, copied to and fro', async () => {
    expect(await store.read('cells/a/result.json')).toBeUndefined();
    expect(await store.list('')).toEqual([]);
    expect(await store.write('cells/a/result.json', '{"é":1}')).toBe(true);
    expect(await store.write('cells/a/result.json', 'another')).toBe(false);
    expect(String(await store.read('cells/a/result.json'))).toBe('{"é":1}');
    const bytes = Buffer.alloc(300_000, 7);
    writeFileSync(join(folder, 'large'), bytes);
    expect(await store.upload('prepared/k/large.parquet', join(folder, 'large'))).toBe(true);
    expect(await store.upload('prepared/k/large.parquet', join(folder, 'large'))).toBe(false);
    await store.download('prepared/k/large.parquet', join(folder, 'copy'));
    expect(readFileSync(join(folder, 'copy')).equals(bytes)).toBe(true);
    expect(await store.list('cells/')).toEqual(['cells/a/result.json']);
    expect(await store.list('')).toEqual(['cells/a/result.json', 'prepared/k/large.parquet']);
    await expect(store.download('none', join(folder, 'none'))).rejects.toThrow(/store: .* has no (file|object)/);
    expect(() => readFileSync(join(folder, 'none'))).toThrow();
  });

  test('many writers of one name: one of them wins or all write the same', async () => {
    const wins = await Promise.all(Array.from({ length: 8 }, () => store.write('cells/b/result.json', 'the same')));
    expect(wins).toContain(true);
    if (name.startsWith('a folder')) expect(wins.filter(Boolean)).toHaveLength(1);
    expect(String(await store.read('cells/b/result.json'))).toBe('the same');
  });

  test.each(['', '/etc/passwd', '../out', 'a/../../b', 'a//b', 'a\\b'])('%p is no name', async (bad) => {
    await expect((async () => store.write(bad, 'x'))()).rejects.toThrow('is no name of a file');
  });

  test('what was there on the way is removed, and no more', async () => {
    for (const file of ['shards/a/1', 'shards/a/2', 'shards/ab']) await store.write(file, file);
    await store.remove('shards/a/');
    await store.remove('shards/none/');
    expect(await store.list('shards/')).toEqual(['shards/ab']);
    expect(await store.write('shards/a/1', 'anew')).toBe(true);
  });

  test('its address opens it elsewhere', async () => {
    const again = await openStore(store.url);
    expect(String(await again.read('cells/a/result.json'))).toBe('{"é":1}');
  });
});

test('addresses that are none', async () => {
  await expect(openStore('ftp://host/x')).rejects.toThrow(
    "store 'ftp://host/x': expected a folder, file:///folder or s3",
  );
  await expect(openStore('s3://key:secret@bucket')).rejects.toThrow('belong in AWS_ACCESS_KEY_ID');
});
