import { FIRST_ITEM_ID } from '@nimue/batch';
import type { EncodedSessions } from '@nimue/data';

type Features = NonNullable<EncodedSessions['features']>;

/**
 * What is known of every item: the features of its newest event in the train windows, row = item id.
 *
 * @param numRows of the item table
 * @param before what earlier windows said, for items that these do not have
 */
export async function itemFeaturesFrom(
  numRows: number,
  windows: () => AsyncIterable<EncodedSessions>,
  before: Features = {},
): Promise<Features> {
  const tables: Record<string, Int32Array | Float32Array> = {};
  for await (const { itemIds, features = {} } of windows()) {
    for (const [name, column] of Object.entries(features)) {
      tables[name] ??= tableOf(column, numRows, before[name]);
      for (let i = 0; i < itemIds.length; i++) if (itemIds[i] >= FIRST_ITEM_ID) tables[name][itemIds[i]] = column[i];
    }
  }
  return tables;
}

function tableOf(column: Int32Array | Float32Array, numRows: number, before: ArrayLike<number> = []) {
  const table = column instanceof Int32Array ? new Int32Array(numRows) : new Float32Array(numRows);
  table.set(before);
  return table;
}
