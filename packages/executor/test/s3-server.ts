import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface S3Server {
  /** `http://127.0.0.1:…` */
  readonly endpoint: string;
  /** Key and secret, as Amazon's client looks for them. */
  readonly environment: Readonly<Record<'AWS_ACCESS_KEY_ID' | 'AWS_SECRET_ACCESS_KEY', string>>;
  /** Ends it and removes what it held. */
  remove(): Promise<void>;
}

/** s3rver, a small S3 server for tests from npm, on a free port: it speaks the protocol, and honours no `If-None-Match`. */
export async function startS3Server(bucket: string): Promise<S3Server> {
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
