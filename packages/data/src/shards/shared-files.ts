/**
 * Files that all shards see, by name (`a/b.parquet`): what `Store` of @nimue/executor is. A file is there as a whole or not at
 * all, and the first one of a name stays.
 */
export interface SharedFiles {
  /** @returns undefined when there is none */
  read(name: string): Promise<Uint8Array | undefined>;
  write(name: string, content: string): Promise<boolean>;
  /** Copies a local file there. */
  upload(name: string, file: string): Promise<boolean>;
  /** Copies a file to a new local one. @throws when there is none */
  download(name: string, file: string): Promise<void>;
  /** Removes the files whose names begin so. */
  remove(prefix: string): Promise<void>;
}
