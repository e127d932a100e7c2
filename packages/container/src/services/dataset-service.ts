import {
  type DatasetConfig,
  openPrepared,
  oracleRanks,
  type PreparedDataset,
  type PrepareProgress,
  prepareWindows,
  type RawColumn,
  type SessionsConfig,
  type SplitConfig,
  shopOracle,
  type WindowsConfig,
} from '@nimue/data';
import type { Reference } from '@nimue/trainer';

export interface PrepareRequest {
  readonly dataset: DatasetConfig;
  readonly sessions: SessionsConfig;
  readonly windows: WindowsConfig;
  readonly split: SplitConfig;
  /** Columns of the log that the features read. */
  readonly columns?: readonly RawColumn[];
  /** Where prepared data sets lie side by side; what is there already is reused. */
  readonly directory: string;
  readonly onProgress?: (progress: PrepareProgress) => void;
}

/** A log cut into windows, and what is known about it without any model. The caller closes the data set. */
export interface PreparedData {
  readonly dataset: PreparedDataset;
  /** Rows that need no model: for a generated log the generator's own probabilities. */
  readonly references: readonly Reference[];
}

/** Turns the data sections of an experiment into sessions per window. */
export interface DatasetService {
  /** @throws when the log cannot be read, or holds nothing to learn from */
  prepare(request: PrepareRequest): Promise<PreparedData>;
}

export function createDatasetService(): DatasetService {
  return {
    async prepare(request) {
      const dataset = await prepareWindows(request);
      return { dataset, references: referencesOf(request.dataset, dataset) };
    },
  };
}

/** Opens what was prepared before, perhaps on another machine: the log itself is not needed. */
export async function openPreparedData(config: DatasetConfig, directory: string): Promise<PreparedData> {
  const dataset = await openPrepared(directory);
  return { dataset, references: referencesOf(config, dataset) };
}

function referencesOf(config: DatasetConfig, dataset: PreparedDataset): Reference[] {
  if (!('generated' in config)) return [];
  const { generated: _, ...shop } = config;
  const oracle = shopOracle(shop);
  return [
    {
      label: 'oracle',
      rankSessions: (sessions) => oracleRanks(oracle, sessions, (code) => dataset.rawItemId(code)),
    },
  ];
}
