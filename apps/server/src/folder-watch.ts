import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Looks at a model folder from time to time and says when there is another one under its name: a link that was moved, or a
 * folder that was renamed into its place. It looks at what the manifest says, not at times of files, so that a folder that
 * is being copied is not taken for a new one before its manifest is there.
 *
 * @returns stops it
 */
export async function watchModelFolder(folder: string, everyMs: number, onNew: () => void): Promise<() => void> {
  const read = () => readFile(join(folder, 'manifest.json'), 'utf8').catch(() => undefined);
  let known = await read();
  let timer: NodeJS.Timeout;
  let isStopped = false;
  const look = async () => {
    const now = await read();
    // Between two renames there is none.
    if (now !== undefined && now !== known && !isStopped) {
      known = now;
      onNew();
    }
    if (!isStopped) timer = setTimeout(look, everyMs);
  };
  timer = setTimeout(look, everyMs);
  return () => {
    isStopped = true;
    clearTimeout(timer);
  };
}
