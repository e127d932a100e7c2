import { rename } from 'node:fs/promises';
import { parquetjsStore } from '@nimue/data';
import type { MetricRow } from './metric-rows.ts';

/** The rows as a Parquet file; it has its name only when it is whole. */
export async function writeMetricsParquet(path: string, rows: readonly MetricRow[]): Promise<void> {
  const temporary = `${path}.tmp`;
  const writer = await parquetjsStore.openWriter(temporary, {
    model: 'string',
    seed: 'int64',
    window_index: 'int32',
    window: 'string',
    metric: 'string',
    value: 'double',
  });
  await writer.append({
    model: rows.map(({ model }) => model),
    seed: rows.map(({ seed }) => seed),
    window_index: rows.map(({ window_index }) => window_index),
    window: rows.map(({ window }) => window),
    metric: rows.map(({ metric }) => metric),
    value: rows.map(({ value }) => value),
  });
  await writer.close();
  await rename(temporary, path);
}
