import type { ParquetSchema } from '../parquet/parquet-store.ts';
import { parquetjsStore } from '../parquet/parquetjs-store.ts';
import type { FilesDataset } from '../read/dataset-schema.ts';
import { generateShop } from './generate-shop.ts';
import type { ShopInput } from './shop-schema.ts';

const SCHEMA = {
  session_id: 'string',
  timestamp: 'int64',
  item_id: 'string',
  category: 'string',
  price: 'double',
} as const satisfies ParquetSchema;

/**
 * Writes the generated log as Parquet with the columns session_id, timestamp (ms since 1970 UTC), item_id, category and
 * price, so that it can be read like any other log.
 *
 * @returns the `dataset` section that reads the file
 *
 * @example
 * const dataset = await writeGeneratedLog({ days: 2, seed: 7 }, 'shop.parquet');
 */
export async function writeGeneratedLog(options: ShopInput, file: string): Promise<FilesDataset> {
  const writer = await parquetjsStore.openWriter(file, SCHEMA);
  for (const day of generateShop(options)) {
    await writer.append({
      session_id: day.sessionIds,
      timestamp: day.timestampsMs,
      item_id: day.itemIds,
      category: day.categories,
      price: day.prices,
    });
    // A day is a second's work at most; between two of them the process answers signals.
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  await writer.close();
  return {
    files: file,
    format: 'parquet',
    columns: { session: 'session_id', item: 'item_id', timestamp: 'timestamp' },
    timeUnit: 'ms',
    onMissing: 'error',
    futureTimes: 'allow',
  };
}
