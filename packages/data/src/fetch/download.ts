import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { messageOf } from '../read/engine.ts';

/** A checksum as publishers give it, in hexadecimal. */
export interface Checksum {
  readonly algorithm: 'md5' | 'sha256';
  readonly digest: string;
}

export interface DownloadOptions {
  readonly url: string;
  /** Where it goes. What has come so far lies in `<file>.part`. */
  readonly file: string;
  readonly checksum?: Checksum;
  /** How often a broken connection is taken up again without a byte having come in between. Default 5. */
  readonly attempts?: number;
  /** Pause before the first of them; it doubles. Default 1000. */
  readonly waitMs?: number;
  readonly signal?: AbortSignal;
  /** @param total bytes, where the server says it */
  readonly onProgress?: (done: number, total: number | undefined) => void;
}

/** What came of a connection that ended too early; the next one goes on. */
class BrokenConnection extends Error {}

/**
 * Downloads a file. A broken connection is taken up where it broke, also by the next call after the process was killed, if the server still
 * has the same file (its ETag or date); otherwise from the beginning. `file` appears only when all of it is there and its checksum fits.
 *
 * @returns the SHA-256 of the file
 * @throws naming the URL, when the server refuses, the connection breaks too often, or the checksum is another one
 */
export async function download(options: DownloadOptions): Promise<string> {
  const { url, file, checksum, attempts = 5, waitMs = 1000, signal } = options;
  const part = `${file}.part`;
  await mkdir(dirname(file), { recursive: true });
  let failures = 0;
  let lastBytes = await bytesOf(part);
  for (;;) {
    try {
      await downloadRest(part, options);
      break;
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof BrokenConnection)) throw error;
      const bytes = await bytesOf(part);
      failures = bytes > lastBytes ? 1 : failures + 1;
      lastBytes = bytes;
      if (failures > attempts) {
        throw new Error(
          `${url}: ${error.message}, ${attempts} times in a row; ${bytes} bytes are kept in ${part}, and the next try goes on from there`,
        );
      }
      await wait(waitMs * 2 ** (failures - 1), undefined, { signal });
    }
  }
  const digest = await digestOf(part, checksum?.algorithm ?? 'sha256');
  if (checksum && digest !== checksum.digest.toLowerCase()) {
    await rm(part, { force: true });
    await rm(noteOf(part), { force: true });
    throw new Error(
      `${url}: the ${checksum.algorithm} of what came is ${digest}, expected ${checksum.digest}; it was thrown away. ` +
        'Either the download was tampered with, or the publisher has changed the file',
    );
  }
  const sha256 = checksum?.algorithm === 'md5' ? await digestOf(part, 'sha256') : digest;
  await rename(part, file);
  await rm(noteOf(part), { force: true });
  return sha256;
}

/** The checksum of a file, in hexadecimal. */
export async function digestOf(file: string, algorithm: Checksum['algorithm']): Promise<string> {
  const hash = createHash(algorithm);
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  return hash.digest('hex');
}

/** Which file the bytes of a part belong to. */
interface PartNote {
  readonly url: string;
  readonly validator: string;
}

function noteOf(part: string): string {
  return `${part}.json`;
}

async function downloadRest(part: string, { url, signal, onProgress }: DownloadOptions): Promise<void> {
  const note = await readNote(part, url);
  const have = note ? await bytesOf(part) : 0;
  const response = await request(url, signal, {
    'accept-encoding': 'identity',
    ...(note && have > 0 && { range: `bytes=${have}-`, 'if-range': note.validator }),
  });
  const range = /^bytes (?:(\d+)-\d+|\*)\/(\d+)$/.exec(response.headers.get('content-range') ?? '');
  if (response.status === 416) {
    await response.body?.cancel();
    if (range && Number(range[2]) === have) return;
    await rm(part, { force: true });
    throw new BrokenConnection('the server has less of the file than came before');
  }
  if (!response.ok) {
    await response.body?.cancel();
    const isPassing = response.status >= 500 || response.status === 408 || response.status === 429;
    if (isPassing) throw new BrokenConnection(`the server answers ${response.status}`);
    throw new Error(
      `${url}: the server answers ${response.status} ${response.statusText}; look for the file's new place`,
    );
  }
  const isRest = response.status === 206;
  if (isRest && (!range || Number(range[1]) !== have)) {
    await response.body?.cancel();
    await rm(part, { force: true });
    throw new BrokenConnection('the server sends another part than was asked for');
  }
  const from = isRest ? have : 0;
  const length = response.headers.get('content-length');
  const total = isRest ? Number(range?.[2]) : length === null ? undefined : Number(length);
  const etag = response.headers.get('etag');
  const validator = etag && !etag.startsWith('W/') ? etag : response.headers.get('last-modified');
  if (validator) await writeFile(noteOf(part), JSON.stringify({ url, validator } satisfies PartNote));
  else await rm(noteOf(part), { force: true });
  const done = await receive(response, part, from, (bytes) => onProgress?.(bytes, total));
  if (total !== undefined && done !== total) {
    throw new BrokenConnection(`the connection ended after ${done} of ${total} bytes`);
  }
}

async function request(
  url: string,
  signal: AbortSignal | undefined,
  headers: Record<string, string>,
): Promise<Response> {
  try {
    return await fetch(url, { headers, signal });
  } catch (error) {
    signal?.throwIfAborted();
    const cause = error instanceof Error && error.cause ? error.cause : error;
    throw new BrokenConnection(`no connection (${messageOf(cause)})`);
  }
}

/** Appends the body to the part. @returns bytes of the part */
async function receive(
  response: Response,
  part: string,
  from: number,
  report: (bytes: number) => void,
): Promise<number> {
  const file = await open(part, from > 0 ? 'a' : 'w');
  let done = from;
  try {
    const reader = response.body?.getReader();
    while (reader) {
      const { value, done: isEnd } = await reader.read().catch((error: unknown) => {
        throw new BrokenConnection(`the connection broke after ${done} bytes (${messageOf(error)})`);
      });
      if (isEnd || value === undefined) break;
      await file.appendFile(value).catch((error: unknown) => {
        throw new Error(
          `${part}: cannot be written (${messageOf(error)}); free some space, and try again: it goes on from there`,
        );
      });
      done += value.byteLength;
      report(done);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return done;
}

async function readNote(part: string, url: string): Promise<PartNote | undefined> {
  const text = await readFile(noteOf(part), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const note = JSON.parse(text) as Partial<PartNote>;
    return note.url === url && typeof note.validator === 'string' ? (note as PartNote) : undefined;
  } catch {
    return undefined;
  }
}

async function bytesOf(file: string): Promise<number> {
  return stat(file).then(
    ({ size }) => size,
    () => 0,
  );
}
