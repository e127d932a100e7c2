import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, DeleteBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { createS3Store } from '../src/store/s3-store.ts';

export interface S3Server {
  /** `http://127.0.0.1:…` */
  readonly endpoint: string;
  /** Key and secret, as Amazon's client looks for them. */
  readonly environment: Readonly<Record<'AWS_ACCESS_KEY_ID' | 'AWS_SECRET_ACCESS_KEY', string>>;
  /** Ends it and removes what it held. */
  remove(): Promise<void>;
}

/** Another server to test with, which runs already: `http://key:secret@host:port`. */
const GIVEN = process.env.NIMUE_TEST_S3;

/** What the bucket of `startS3Server` belongs to. */
export const S3_SERVER_NAME = GIVEN ? new URL(GIVEN).host : 's3rver';

/**
 * s3rver, a small S3 server for tests from npm, on a free port: it speaks the protocol, and honours no `If-None-Match`. With
 * `NIMUE_TEST_S3` a bucket of that server, which is made for the test.
 */
export async function startS3Server(bucket: string): Promise<S3Server> {
  if (GIVEN) return makeBucket(new URL(GIVEN), bucket);
  const S3rver = createRequire(import.meta.url)('s3rver') as new (
    options: object,
  ) => { run(): Promise<{ port: number }>; close(): Promise<void> };
  const directory = mkdtempSync(join(tmpdir(), 'nimue-s3-'));
  const server = new S3rver({
    port: 0,
    address: '127.0.0.1',
    silent: true,
    directory,
    configureBuckets: [{ name: bucket }],
  });
  const { port } = await server.run();
  return {
    endpoint: `http://127.0.0.1:${port}`,
    environment: { AWS_ACCESS_KEY_ID: 'S3RVER', AWS_SECRET_ACCESS_KEY: 'S3RVER' },
    async remove() {
      await server.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function makeBucket({ origin, username, password }: URL, Bucket: string): Promise<S3Server> {
  const [accessKeyId, secretAccessKey] = [username, password].map(decodeURIComponent);
  const environment = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
  Object.assign(process.env, environment);
  const client = new S3Client({ endpoint: origin, forcePathStyle: true, region: 'us-east-1' });
  await client.send(new CreateBucketCommand({ Bucket }));
  return {
    endpoint: origin,
    environment,
    async remove() {
      await createS3Store({ bucket: Bucket, endpoint: origin }).remove('');
      await client.send(new DeleteBucketCommand({ Bucket }));
      client.destroy();
    },
  };
}
