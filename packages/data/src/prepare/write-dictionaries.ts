import { join } from 'node:path';
import type { RawColumn } from '../dataset/raw-columns.ts';
import { duckdbStore } from '../parquet/duckdb-store.ts';
import type { EventLog } from '../read/event-log.ts';

export const ITEMS_FILE = 'items.parquet';

/** File of the values of a text column that is carried along, relative to the folder. */
export function textsFile(column: number): string {
  return `texts-${column}.parquet`;
}

/** Names of the files that `writeDictionaries` writes. */
export function dictionaryFiles(columns: readonly RawColumn[]): string[] {
  return [ITEMS_FILE, ...columns.flatMap(({ kind }, c) => (kind === 'text' ? [textsFile(c)] : []))];
}

/** Writes what the codes of items and texts stand for. */
export async function writeDictionaries(
  directory: string,
  log: Pick<EventLog, 'itemIds' | 'texts'>,
  columns: readonly RawColumn[],
): Promise<void> {
  const itemIds = await log.itemIds();
  const items = await duckdbStore.openWriter(join(directory, ITEMS_FILE), { code: 'int32', item_id: 'string' });
  await items.append({ code: Int32Array.from(itemIds, (_, code) => code), item_id: itemIds });
  await items.close();
  const texts = await log.texts();
  for (const [c, { name, kind }] of columns.entries()) {
    if (kind !== 'text') continue;
    const writer = await duckdbStore.openWriter(join(directory, textsFile(c)), { value: 'string' });
    await writer.append({ value: [...texts[name]] });
    await writer.close();
  }
}
