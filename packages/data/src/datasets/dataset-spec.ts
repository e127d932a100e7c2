import type { Checksum } from '../fetch/download.ts';
import type { LogInput } from '../read/dataset-schema.ts';
import type { SessionsInput } from '../sessions/sessions-schema.ts';
import type { WindowsInput } from '../windows/windows-schema.ts';

/** How the original is downloaded. */
export interface DatasetDownload {
  readonly url: string;
  /** Of what the URL gives: the publisher's own, or that of a copy whose counts are known. */
  readonly checksum?: Checksum;
  /** The file that is needed, where the URL gives an archive (.zip, .tar.gz). */
  readonly member?: string;
  readonly memberChecksum?: Checksum;
  /** Where the log goes, below the folder of the data sets; a name that ends with .gz packs it. */
  readonly file: string;
}

/** A ready-made description of a well-known log: the three sections of an experiment file that read it. */
export interface DatasetSpec {
  readonly title: string;
  /** Where the original comes from, and under which terms. */
  readonly source: string;
  readonly licence: string;
  /** Absent where an account, a form or a choice of files stands before the download. */
  readonly download?: DatasetDownload;
  /** @param folder holds the data sets, one folder each */
  dataset(folder: string): LogInput;
  readonly sessions: SessionsInput;
  readonly windows: WindowsInput;
}
