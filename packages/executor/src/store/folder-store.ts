import { randomUUID } from 'node:crypto';
import { constants, copyFile, link, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { assertName, type Store } from './store.ts';

export interface FolderStoreOptions {
  /** A file is on the disk before it is there, so that a power failure leaves no half of one. Default true. */
  readonly sync?: boolean;
}

/** A folder that all machines see, such as one on NFS. */
export function createFolderStore(folder: string, { sync = true }: FolderStoreOptions = {}): Store {
  const root = resolve(folder);
  const pathOf = (name: string) => {
    assertName(name);
    return join(root, ...name.split('/'));
  };
  /** Under another name first, then linked: a link to a name that is taken fails, where a rename would replace it. */
  const place = async (name: string, fill: (temporary: string) => Promise<void>): Promise<boolean> => {
    const path = pathOf(name);
    await mkdir(dirname(path), { recursive: true });
    const temporary = join(dirname(path), `.${randomUUID()}.part`);
    try {
      await fill(temporary);
      if (sync) {
        const file = await open(temporary, 'r');
        await file.sync().finally(() => file.close());
      }
      await link(temporary, path);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
      throw error;
    } finally {
      await rm(temporary, { force: true });
    }
  };
  const list = async (prefix: string): Promise<string[]> => {
    // From the deepest folder that holds all such names: the store may be large.
    const below = join(root, ...prefix.split('/').slice(0, -1));
    const entries = await readdir(below, { recursive: true, withFileTypes: true }).catch(
      (error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
        throw error;
      },
    );
    return entries
      .filter((entry) => entry.isFile() && !entry.name.endsWith('.part'))
      .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
      .filter((name) => name.startsWith(prefix))
      .sort();
  };
  return {
    url: pathToFileURL(root).href + (sync ? '' : '?sync=no'),
    read: (name) =>
      readFile(pathOf(name)).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return undefined;
        throw error;
      }),
    write: (name, content) =>
      place(name, async (temporary) => {
        const file = await open(temporary, 'wx');
        await file.writeFile(content).finally(() => file.close());
      }),
    upload: (name, file) => place(name, (temporary) => copyFile(file, temporary, constants.COPYFILE_EXCL)),
    async download(name, file) {
      const temporary = `${file}.${randomUUID()}.part`;
      try {
        await copyFile(pathOf(name), temporary);
        await rename(temporary, file);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new Error(`store: ${root} has no file ${name}`);
        throw error;
      } finally {
        await rm(temporary, { force: true });
      }
    },
    list,
    async remove(prefix) {
      for (const name of await list(prefix)) await rm(pathOf(name), { force: true });
    },
  };
}
