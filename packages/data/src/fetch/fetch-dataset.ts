import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { DatasetDownload, DatasetSpec } from '../datasets/dataset-spec.ts';
import { messageOf } from '../read/engine.ts';
import { type Checksum, type DownloadOptions, download } from './download.ts';
import { tarMember } from './tar-member.ts';
import { zipMember } from './zip-member.ts';

/** What `fetchDataset` did. */
export interface FetchedDataset {
  /** The log, where the spec looks for it. */
  readonly file: string;
  readonly bytes: number;
  /** It was there already; nothing was downloaded. */
  readonly wasThere: boolean;
  /** SHA-256 of what was downloaded. */
  readonly sha256?: string;
  /** Whether the publisher's checksum (or that of a known copy) is known, and fits. */
  readonly isVerified: boolean;
}

export type FetchDatasetOptions = Pick<DownloadOptions, 'attempts' | 'waitMs' | 'signal' | 'onProgress'> & {
  /** Holds the data sets, one folder each. */
  readonly folder: string;
};

/**
 * Downloads the original of a ready-made data set to where its spec looks for it. An archive is unpacked, the file that is needed kept.
 * Broken off at any moment, nothing is at that place, and the next call goes on.
 *
 * @throws when the data set cannot be downloaded without an account (saying where it is), or the download fails
 */
export async function fetchDataset(spec: DatasetSpec, options: FetchDatasetOptions): Promise<FetchedDataset> {
  const { download: original } = spec;
  if (!original) {
    const files =
      'files' in spec.dataset(options.folder)
        ? ` and put it where dataset.files says: ${filesOf(spec, options.folder)}`
        : '';
    throw new Error(
      `${spec.title}: cannot be downloaded by a program (an account, a form or a choice of files stands before it); get it from ${spec.source},${files}`,
    );
  }
  const file = join(options.folder, original.file);
  const there = await stat(file).catch(() => undefined);
  if (there) return { file, bytes: there.size, wasThere: true, isVerified: false };
  const archive = join(
    dirname(file),
    decodeURIComponent(new URL(original.url).pathname.split('/').at(-1) ?? 'download'),
  );
  const isPacked = original.member !== undefined || file.endsWith('.gz');
  const target = isPacked ? `${archive}.original` : file;
  const sha256 = await download({ ...options, url: original.url, file: target, checksum: original.checksum });
  if (isPacked) {
    await unpack(target, file, original);
    await rm(target, { force: true });
  }
  const isVerified = original.checksum !== undefined || original.memberChecksum !== undefined;
  return { file, bytes: (await stat(file)).size, wasThere: false, sha256, isVerified };
}

/** Takes the file out of the archive, packed by gzip where its name says so. */
async function unpack(archive: string, file: string, original: DatasetDownload): Promise<void> {
  const { member, memberChecksum } = original;
  const isTar = /\.(tar\.gz|tgz)$/i.test(original.url);
  const content: AsyncIterable<Buffer> =
    member === undefined ? createReadStream(archive) : isTar ? tarMember(archive, member) : zipMember(archive, member);
  await mkdir(dirname(file), { recursive: true });
  const part = `${file}.unpacking`;
  try {
    const source = Readable.from(checked(content, memberChecksum, archive));
    if (file.endsWith('.gz')) await pipeline(source, createGzip(), createWriteStream(part));
    else await pipeline(source, createWriteStream(part));
    await rename(part, file);
  } catch (error) {
    await rm(part, { force: true });
    // What is damaged must not be taken up again.
    if (/damaged|cut off|has no|expected/.test(messageOf(error))) await rm(archive, { force: true });
    throw error;
  }
}

async function* checked(
  content: AsyncIterable<Buffer>,
  checksum: Checksum | undefined,
  archive: string,
): AsyncGenerator<Buffer> {
  const hash = createHash(checksum?.algorithm ?? 'sha256');
  for await (const chunk of content) {
    hash.update(chunk);
    yield chunk;
  }
  const digest = hash.digest('hex');
  if (checksum && digest !== checksum.digest) {
    throw new Error(
      `${archive}: the ${checksum.algorithm} of the unpacked file is ${digest}, expected ${checksum.digest}`,
    );
  }
}

function filesOf(spec: DatasetSpec, folder: string): string {
  const dataset = spec.dataset(folder);
  if (!('files' in dataset)) return '';
  return typeof dataset.files === 'string' ? dataset.files : dataset.files.join(', ');
}
