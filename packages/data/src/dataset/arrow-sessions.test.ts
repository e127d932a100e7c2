import { Field, Int32, List, makeBuilder, Table, tableFromArrays, tableFromIPC, tableToIPC } from 'apache-arrow';
import { sessionsFromArrow, sessionsToArrow } from './arrow-sessions.ts';

const sessions = {
  itemCodes: Int32Array.of(4, 5, 6, 4, 9),
  offsets: Int32Array.of(0, 2, 2, 5),
  timestampsMs: Float64Array.of(10, 20, 30, 40, 50),
};

test('an Arrow table shows the sessions as lists and shares their memory', async () => {
  const table = await sessionsToArrow(sessions);
  expect(table.numRows).toBe(3);
  expect(
    table
      .getChild('item_code')
      ?.toArray()
      .map((list: Iterable<number>) => [...list]),
  ).toEqual([[4, 5], [], [6, 4, 9]]);
  const back = await sessionsFromArrow(table);
  expect(back).toEqual(sessions);
  expect(back.itemCodes.buffer).toBe(sessions.itemCodes.buffer);
  expect(back.timestampsMs.buffer).toBe(sessions.timestampsMs.buffer);
});

test('survives Arrow IPC, several chunks and slices', async () => {
  const table = await sessionsToArrow(sessions);
  expect(await sessionsFromArrow(tableFromIPC(tableToIPC(table)))).toEqual(sessions);
  const twice = await sessionsFromArrow(table.concat(table));
  expect([...twice.offsets]).toEqual([0, 2, 2, 5, 7, 7, 10]);
  expect([...twice.itemCodes]).toEqual([4, 5, 6, 4, 9, 4, 5, 6, 4, 9]);
  const tail = await sessionsFromArrow(table.slice(1, 3));
  expect([...tail.offsets]).toEqual([0, 0, 3]);
  expect([...tail.itemCodes]).toEqual([6, 4, 9]);
});

test('no sessions', async () => {
  const none = { itemCodes: new Int32Array(0), offsets: new Int32Array(1), timestampsMs: new Float64Array(0) };
  expect(await sessionsFromArrow(await sessionsToArrow(none))).toEqual(none);
});

test('names the column that is missing or of another type', async () => {
  const table = tableFromArrays({ item_code: Int32Array.of(1) });
  await expect(sessionsFromArrow(table)).rejects.toThrow("column 'item_code': expected List<Int32>, got Int32");
  await expect(sessionsFromArrow(tableFromArrays({ a: Int32Array.of(1) }))).rejects.toThrow(
    'no such column (there are a)',
  );
});

test('carried columns, keys, true lengths and the word that there are no times go along, without copies', async () => {
  const whole = {
    ...sessions,
    columns: { 'number:price': Float64Array.of(1, Number.NaN, 3, 4, 5), 'text:kind': Float64Array.of(0, 1, 0, 1, 0) },
    sessionKeys: Int32Array.of(7, -8, 9),
    fullLengths: Int32Array.of(2, 0, 30),
    hasOnlyOrder: true,
  };
  const table = await sessionsToArrow(whole);
  const back = await sessionsFromArrow(table);
  expect(back).toEqual(whole);
  expect(back.columns?.['number:price'].buffer).toBe(whole.columns['number:price'].buffer);
  expect(back.sessionKeys?.buffer).toBe(whole.sessionKeys.buffer);
  expect(await sessionsFromArrow(tableFromIPC(tableToIPC(table, 'stream')))).toEqual(whole);
  expect([...((await sessionsFromArrow(table.concat(table))).sessionKeys ?? [])]).toEqual([7, -8, 9, 7, -8, 9]);
});

test('a table of another writer with missing cells is refused', async () => {
  const type = new List(new Field('item', new Int32(), true));
  const builder = makeBuilder({ type, nullValues: [null] });
  builder.append([1, null] as never).append(null);
  const column = builder.finish().toVector();
  await expect(sessionsFromArrow(new Table({ item_code: column }))).rejects.toThrow(
    "column 'item_code' has missing cells; expected a value for every event",
  );
});
