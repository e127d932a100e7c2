import { fileURLToPath } from 'node:url';
import { createFolderStore } from './folder-store.ts';
import type { Store } from './store.ts';

/**
 * The store of an address: a folder, `file:///folder` (with `?sync=no` for what need not survive a power failure), or
 * `s3://bucket/prefix?endpoint=http://minio:9000&region=eu-west-1`.
 *
 * @throws when the address is of another kind
 *
 * @example
 * const store = await openStore('s3://experiments/nimue?endpoint=http://minio:9000');
 */
export async function openStore(address: string): Promise<Store> {
  if (address === '') throw new Error('store: no address, expected a folder or s3://bucket/prefix');
  if (!/^[a-z][a-z0-9+.-]+:/i.test(address)) return createFolderStore(address);
  const url = new URL(address);
  if (url.protocol === 'file:')
    return createFolderStore(fileURLToPath(url), { sync: url.searchParams.get('sync') !== 'no' });
  if (url.protocol !== 's3:' || url.hostname === '') {
    throw new Error(`store '${address}': expected a folder, file:///folder or s3://bucket/prefix`);
  }
  if (url.username || url.password) {
    throw new Error(`store s3://${url.hostname}: key and secret belong in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY`);
  }
  const { createS3Store } = await import('./s3-store.ts');
  return createS3Store({
    bucket: url.hostname,
    prefix: url.pathname.replace(/^\/+|\/+$/g, ''),
    endpoint: url.searchParams.get('endpoint') ?? undefined,
    region: url.searchParams.get('region') ?? undefined,
  });
}
