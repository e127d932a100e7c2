import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, deflateRawSync, gunzipSync, gzipSync } from 'node:zlib';
import type { DatasetDownload, DatasetSpec } from '../datasets/dataset-spec.ts';
import { globo, movielens1m } from '../datasets.ts';
import { type DownloadOptions, download } from './download.ts';
import { fetchDataset } from './fetch-dataset.ts';

const CONTENT = randomBytes(200_000);
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

let folder = '';
let url = '';
/** What the server does with the n-th request, n from 0. */
let answer: (request: IncomingMessage, response: ServerResponse, n: number) => void;
let ranges: (string | undefined)[] = [];
const server = createServer((request, response) => {
  ranges.push(request.headers.range);
  answer(request, response, ranges.length - 1);
});
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/log.bin`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nimue-fetch-'));
  ranges = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Bytes of the file that the download has kept: what a broken connection had not been read from is lost. */
let kept = 0;

/** Serves the content with ranges; breaks the connection when `bytes` of the answer have been kept. */
function serve(
  content: Uint8Array,
  { bytes = Number.POSITIVE_INFINITY, etag = '"1"' }: { bytes?: number; etag?: string } = {},
): typeof answer {
  return (request, response) => {
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const isSame = request.headers['if-range'] === undefined || request.headers['if-range'] === etag;
    const start = isSame ? from : 0;
    if (start > 0 && start >= content.length) {
      response.writeHead(416, { 'content-range': `bytes */${content.length}` }).end();
      return;
    }
    const rest = content.subarray(start);
    response.writeHead(start > 0 ? 206 : 200, {
      etag,
      'content-length': rest.length,
      ...(start > 0 && { 'content-range': `bytes ${start}-${content.length - 1}/${content.length}` }),
    });
    if (bytes >= rest.length) response.end(rest);
    else {
      response.write(rest.subarray(0, bytes));
      const timer = setInterval(() => {
        if (kept < start + bytes) return;
        clearInterval(timer);
        response.destroy();
      }, 5);
    }
  };
}

const get = ({ onProgress, ...options }: Partial<DownloadOptions> = {}) => {
  kept = 0;
  return download({
    url,
    file: join(folder, 'log.bin'),
    waitMs: 1,
    attempts: 2,
    onProgress: (done, total) => {
      kept = done;
      onProgress?.(done, total);
    },
    ...options,
  });
};

test('a connection that breaks again and again is taken up where it broke', async () => {
  answer = serve(CONTENT, { bytes: 60_000 });
  const seen: number[] = [];
  expect(await get({ onProgress: (done: number) => seen.push(done) })).toBe(sha256(CONTENT));
  expect(readFileSync(join(folder, 'log.bin'))).toEqual(CONTENT);
  expect(readdirSync(folder)).toEqual(['log.bin']);
  expect(ranges.length).toBeGreaterThanOrEqual(4);
  expect(ranges[0]).toBeUndefined();
  expect(ranges.slice(1).every((range) => Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1]) > 0)).toBe(true);
  expect(seen.at(-1)).toBe(CONTENT.length);
});

test('given up, the next call goes on; nothing is at the place before all of it is there', async () => {
  answer = (request, response, n) =>
    n === 0 ? serve(CONTENT, { bytes: 90_000 })(request, response, n) : response.destroy();
  await expect(get()).rejects.toThrow(
    /, 2 times in a row; \d+ bytes are kept in .*log\.bin\.part, and the next try goes on/,
  );
  expect(existsSync(join(folder, 'log.bin'))).toBe(false);
  ranges = [];
  answer = serve(CONTENT);
  await get();
  expect(ranges).toHaveLength(1);
  expect(ranges[0]).toMatch(/^bytes=[1-9]\d*-$/);
  expect(readFileSync(join(folder, 'log.bin'))).toEqual(CONTENT);
});

test('a file that changed in between is loaded from its beginning, never put together from two', async () => {
  const other = randomBytes(150_000);
  answer = (request, response, n) =>
    n === 0
      ? serve(CONTENT, { bytes: 90_000 })(request, response, n)
      : serve(other, { etag: '"2"' })(request, response, n);
  await get();
  expect(readFileSync(join(folder, 'log.bin'))).toEqual(other);
});

test('a server without ranges or validators sends everything again', async () => {
  answer = (_request, response, n) => {
    response.writeHead(200, { 'content-length': CONTENT.length });
    if (n === 0) response.write(CONTENT.subarray(0, 50_000), () => setTimeout(() => response.destroy(), 20));
    else response.end(CONTENT);
  };
  await get();
  expect(ranges).toEqual([undefined, undefined]);
  expect(readFileSync(join(folder, 'log.bin'))).toEqual(CONTENT);
});

test('complete in the part already: nothing is sent again', async () => {
  writeFileSync(join(folder, 'log.bin.part'), CONTENT);
  writeFileSync(join(folder, 'log.bin.part.json'), JSON.stringify({ url, validator: '"1"' }));
  answer = serve(CONTENT);
  expect(await get()).toBe(sha256(CONTENT));
  // A part of another URL is not trusted.
  writeFileSync(join(folder, 'log.bin.part'), 'x');
  writeFileSync(join(folder, 'log.bin.part.json'), JSON.stringify({ url: 'http://other', validator: '"1"' }));
  expect(await get()).toBe(sha256(CONTENT));
});

test('another checksum: thrown away, with both named; a page that is not there is not tried again', async () => {
  answer = serve(CONTENT);
  const checksum = { algorithm: 'md5', digest: '0'.repeat(32) } as const;
  await expect(get({ checksum })).rejects.toThrow(
    /the md5 of what came is [0-9a-f]{32}, expected 0{32}; it was thrown away/,
  );
  expect(readdirSync(folder)).toEqual([]);
  ranges = [];
  answer = (_request, response) => response.writeHead(404).end('gone');
  await expect(get()).rejects.toThrow('the server answers 404');
  expect(ranges).toHaveLength(1);
  answer = (request, response, n) => (n < 3 ? response.writeHead(503).end() : serve(CONTENT)(request, response, n));
  await get();
});

/** A ZIP archive of one deflated file, written by the format's description. */
function zipOf(name: string, content: Buffer): Buffer {
  const packed = deflateRawSync(content);
  const crc = crc32(content);
  const local = Buffer.alloc(30);
  local.writeUInt32LE(0x04034b50, 0);
  local.writeUInt16LE(8, 8);
  local.writeUInt16LE(name.length, 26);
  const entry = Buffer.alloc(46);
  entry.writeUInt32LE(0x02014b50, 0);
  entry.writeUInt16LE(8, 10);
  entry.writeUInt32LE(crc, 16);
  entry.writeUInt32LE(packed.length, 20);
  entry.writeUInt32LE(content.length, 24);
  entry.writeUInt16LE(name.length, 28);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt32LE(46 + name.length, 12);
  end.writeUInt32LE(30 + name.length + packed.length, 16);
  return Buffer.concat([local, Buffer.from(name), packed, entry, Buffer.from(name), end]);
}

const specWith = (original: Partial<DatasetDownload> & { file: string }): DatasetSpec => ({
  ...movielens1m,
  download: { url: url.replace('log.bin', 'ml.zip'), ...original },
});
const fetchSpec = (spec: DatasetSpec) => {
  kept = 0;
  return fetchDataset(spec, {
    folder,
    attempts: 1,
    waitMs: 1,
    onProgress: (done) => {
      kept = done;
    },
  });
};
const RATINGS = Buffer.from('1::1193::5::978300760\n'.repeat(5000));

test('a file of a ZIP archive lands where the spec reads it, and is left alone the second time', async () => {
  const archive = zipOf('ml-1m/ratings.dat', RATINGS);
  answer = serve(archive, { bytes: 100 });
  const spec = specWith({
    file: 'movielens-1m/ratings.dat',
    member: 'ml-1m/ratings.dat',
    checksum: { algorithm: 'sha256', digest: sha256(archive) },
  });
  const fetched = await fetchSpec(spec);
  expect(fetched).toMatchObject({ wasThere: false, isVerified: true, bytes: RATINGS.length, sha256: sha256(archive) });
  const dataset = spec.dataset(folder);
  expect('files' in dataset && dataset.files).toBe(fetched.file);
  expect(readFileSync(fetched.file)).toEqual(RATINGS);
  expect(readdirSync(join(folder, 'movielens-1m'))).toEqual(['ratings.dat']);
  ranges = [];
  expect((await fetchSpec(spec)).wasThere).toBe(true);
  expect(ranges).toEqual([]);
});

test('a damaged archive, one without the file, a wrong checksum of the file: nothing is left that could be read', async () => {
  const archive = zipOf('ml-1m/ratings.dat', RATINGS);
  const damaged = Buffer.from(archive);
  damaged[archive.indexOf('PK\u0001\u0002') + 16] ^= 1;
  const spec = specWith({ file: 'a/ratings.dat', member: 'ml-1m/ratings.dat' });
  for (const [content, message, changed] of [
    [damaged, "'ml-1m/ratings.dat' is damaged", spec],
    [archive.subarray(0, archive.length - 30), 'not a ZIP archive, or cut off', spec],
    [zipOf('other.csv', RATINGS), "has no 'ml-1m/ratings.dat', only other.csv", spec],
    [
      archive,
      /the md5 of the unpacked file is [0-9a-f]{32}, expected 00/,
      specWith({ ...spec.download, file: 'a/ratings.dat', memberChecksum: { algorithm: 'md5', digest: '00' } }),
    ],
  ] as const) {
    answer = serve(content);
    await expect(fetchSpec(changed)).rejects.toThrow(message);
    expect(readdirSync(join(folder, 'a'))).toEqual([]);
  }
});

test('a file of a .tar.gz archive as tar writes it; a plain file is packed where its name says so', async () => {
  mkdirSync(join(folder, 'in'));
  writeFileSync(join(folder, 'in', 'first.tsv'), 'x'.repeat(1000));
  writeFileSync(join(folder, 'in', 'listens.tsv'), RATINGS);
  expect(spawnSync('tar', ['czf', join(folder, 'all.tar.gz'), '-C', folder, 'in']).status).toBe(0);
  const archive = readFileSync(join(folder, 'all.tar.gz'));
  answer = serve(archive);
  const original = { url: url.replace('log.bin', 'all.tar.gz'), file: 'b/listens.tsv', member: 'in/listens.tsv' };
  expect(readFileSync((await fetchSpec(specWith(original))).file)).toEqual(RATINGS);
  await expect(fetchSpec(specWith({ ...original, file: 'c/x', member: 'none' }))).rejects.toThrow(
    "has no 'none', only in/",
  );
  answer = serve(gzipSync(Buffer.concat([gunzipSync(archive).subarray(0, 2000)])));
  await expect(fetchSpec(specWith({ ...original, file: 'c/x' }))).rejects.toThrow(
    /has no 'in\/listens\.tsv'|cut off within/,
  );

  answer = serve(RATINGS);
  const { file, isVerified } = await fetchSpec(specWith({ url, file: 'd/ml-1m.txt.gz' }));
  expect(gunzipSync(readFileSync(file))).toEqual(RATINGS);
  expect(isVerified).toBe(false);
});

test('what needs an account says where it is and where it goes', async () => {
  await expect(fetchSpec(globo)).rejects.toThrow(
    /cannot be downloaded by a program.*get it from https:\/\/www\.kaggle\.com.*globo\/clicks\.parquet/,
  );
});
