import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { assertName, type Store } from './store.ts';

export interface S3StoreOptions {
  readonly bucket: string;
  /** Before every name, without a slash at the end. */
  readonly prefix?: string;
  /** Of a server that is not Amazon's, such as `http://minio:9000`; asked for by path, not by host name. */
  readonly endpoint?: string;
  readonly region?: string;
}

/**
 * A bucket of an object store that speaks S3. Key and secret come from where Amazon's client looks for them: the variables
 * `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, a profile, the machine's role.
 *
 * An object appears as a whole. Two writers of one name at the same moment are told apart by `If-None-Match` where the server
 * honours it; where it does not, or refuses it, the later content replaces the earlier, which is the same one.
 */
export function createS3Store({ bucket, prefix = '', endpoint, region = 'us-east-1' }: S3StoreOptions): Store {
  const client = new S3Client({
    region,
    ...(endpoint && { endpoint, forcePathStyle: true }),
    // Checksums in trailers are Amazon's own; other servers take the content as it is.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
  const keyOf = (name: string) => {
    assertName(name);
    return prefix === '' ? name : `${prefix}/${name}`;
  };
  const statusOf = (error: unknown) =>
    (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode ?? 0;
  const get = async (name: string): Promise<Readable | undefined> => {
    try {
      const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: keyOf(name) }));
      return Body as Readable;
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw error;
    }
  };
  /** Until the server says that it has no such condition. */
  let knowsConditions = true;
  const put = async (name: string, open: () => Buffer | Readable, ContentLength: number): Promise<boolean> => {
    const Key = keyOf(name);
    try {
      await client.send(new HeadObjectCommand({ Bucket: bucket, Key }));
      return false;
    } catch (error) {
      if (statusOf(error) !== 404) throw error;
    }
    for (;;) {
      const condition = knowsConditions ? { IfNoneMatch: '*' } : {};
      const Body = open();
      try {
        await client.send(new PutObjectCommand({ Bucket: bucket, Key, Body, ContentLength, ...condition }));
        return true;
      } catch (error) {
        if ('destroy' in Body) Body.destroy();
        if (statusOf(error) === 412) return false;
        if (statusOf(error) !== 501 || !('IfNoneMatch' in condition)) throw error;
        knowsConditions = false;
      }
    }
  };
  const list = async (start: string): Promise<string[]> => {
    const names: string[] = [];
    const before = prefix === '' ? '' : `${prefix}/`;
    for (let ContinuationToken: string | undefined; ; ) {
      const page = await client.send(
        new ListObjectsV2Command({ Bucket: bucket, Prefix: before + start, ContinuationToken }),
      );
      for (const { Key } of page.Contents ?? []) if (Key) names.push(Key.slice(before.length));
      if (!page.IsTruncated) break;
      ContinuationToken = page.NextContinuationToken;
    }
    return names.sort();
  };
  const query = new URLSearchParams({ ...(endpoint && { endpoint }), ...(region !== 'us-east-1' && { region }) });
  const tail = query.size > 0 ? `?${query}` : '';
  return {
    url: `s3://${bucket}${prefix === '' ? '' : `/${prefix}`}${tail}`,
    async read(name) {
      const body = await get(name);
      return body && Buffer.concat(await body.toArray());
    },
    write(name, content) {
      const bytes = Buffer.from(content as string);
      return put(name, () => bytes, bytes.length);
    },
    upload: async (name, file) => put(name, () => createReadStream(file), (await stat(file)).size),
    async download(name, file) {
      const body = await get(name);
      if (!body) throw new Error(`store: s3://${bucket} has no object ${keyOf(name)}`);
      const temporary = `${file}.${randomUUID()}.part`;
      try {
        await pipeline(body, createWriteStream(temporary));
        await rename(temporary, file);
      } finally {
        await rm(temporary, { force: true });
      }
    },
    list,
    async remove(start) {
      const names = await list(start);
      for (let from = 0; from < names.length; from += 1000) {
        const Objects = names.slice(from, from + 1000).map((name) => ({ Key: keyOf(name) }));
        const command = new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects, Quiet: true } });
        addContentMd5(command);
        const { Errors = [] } = await client.send(command);
        if (Errors.length > 0) throw new Error(`store: s3://${bucket}/${Errors[0].Key}: ${Errors[0].Message}`);
      }
    },
  };
}

/** Many servers take a list of what is to be deleted only with this checksum, which Amazon's client no longer makes. */
function addContentMd5({ middlewareStack }: DeleteObjectsCommand): void {
  middlewareStack.add(
    (next) => (args) => {
      const { headers, body } = args.request as { headers: Record<string, string>; body: string | Uint8Array };
      headers['content-md5'] = createHash('md5').update(body).digest('base64');
      return next(args);
    },
    { step: 'build', name: 'addContentMd5' },
  );
}
