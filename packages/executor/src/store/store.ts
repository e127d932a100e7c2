/**
 * Files that several machines share, by name: `a/b.json`. A file is there as a whole or not at all, and never changes: a
 * name stands for one content.
 */
export interface Store {
  /** Where it is, for people and for `openStore` on another machine; holds no password. */
  readonly url: string;
  /** @returns undefined when there is none */
  read(name: string): Promise<Buffer | undefined>;
  /** Writes a new file; one that is there already stays. @returns whether it was new */
  write(name: string, content: Buffer | string): Promise<boolean>;
  /** Copies a local file there, as `write`. */
  upload(name: string, file: string): Promise<boolean>;
  /** Copies a file to a new local one. @throws when there is none */
  download(name: string, file: string): Promise<void>;
  /** Names that begin so, in order. */
  list(prefix: string): Promise<string[]>;
  /** Removes the files whose names begin so: of what was there on the way only, since a name stands for one content. */
  remove(prefix: string): Promise<void>;
}

/** @throws when a name would leave the store or is none */
export function assertName(name: string): void {
  const parts = name.split('/');
  if (name !== '' && parts.every((part) => part !== '' && part !== '.' && part !== '..' && !part.includes('\\')))
    return;
  throw new Error(`store: '${name}' is no name of a file, expected one such as cells/0a1b/result.json`);
}
