import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * SHA-256 over the names and contents of the Parquet files of a prepared data set: what the models really saw, wherever
 * the log lay and whenever it was copied there.
 */
export async function checksumOfPrepared(directory: string): Promise<string> {
  const hash = createHash('sha256');
  const names = (await readdir(directory, { recursive: true })).filter((name) => name.endsWith('.parquet')).sort();
  for (const name of names) {
    hash.update(`${name.replaceAll('\\', '/')}\n`);
    for await (const chunk of createReadStream(join(directory, name))) hash.update(chunk as Buffer);
  }
  return `sha256:${hash.digest('hex')}`;
}
