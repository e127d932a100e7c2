import type { LogInput } from '../read/dataset-schema.ts';
import type { SessionsInput } from '../sessions/sessions-schema.ts';
import type { WindowsInput } from '../windows/windows-schema.ts';

/** A ready-made description of a well-known log: the three sections of an experiment file that read it. */
export interface DatasetSpec {
  readonly title: string;
  /** Where the original comes from, and under which terms. */
  readonly source: string;
  readonly licence: string;
  /** @param folder holds the data sets, one folder each */
  dataset(folder: string): LogInput;
  readonly sessions: SessionsInput;
  readonly windows: WindowsInput;
}
