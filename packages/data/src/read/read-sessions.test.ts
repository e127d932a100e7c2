import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEngine, sqlText } from './engine.ts';
import { type ReadSession, readSessions, type SessionColumns } from './read-sessions.ts';

const folder = mkdtempSync(join(tmpdir(), 'nimue-read-sessions-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function all(file: string, columns: SessionColumns): Promise<ReadSession[]> {
  const sessions: ReadSession[] = [];
  for await (const session of readSessions(file, columns)) sessions.push(session);
  return sessions;
}

async function parquet(name: string, query: string): Promise<string> {
  const file = join(folder, name);
  const engine = await openEngine();
  await engine.run(`COPY (${query}) TO ${sqlText(file)} (FORMAT parquet)`);
  engine.close();
  return file;
}

const names = { session: 'session_id', item: 'item_id' };

test('rows of events in any order: by time where there is one, by their order otherwise', async () => {
  const file = join(folder, 'events.csv');
  const rows = ['b,x,1700000003,4.5', 'a,y,1700000002,', 'b,z,1700000001,2', 'a,x,1700000002,1'];
  writeFileSync(file, `session_id,item_id,time,price\n${rows.join('\n')}\n`);
  expect(await all(file, names)).toEqual([
    { id: 'a', items: ['y', 'x'] },
    { id: 'b', items: ['x', 'z'] },
  ]);
  expect(await all(file, { ...names, timestamp: 'time', others: ['price'] })).toEqual([
    { id: 'a', items: ['y', 'x'], timestampsMs: [1700000002000, 1700000002000], columns: { price: [null, 1] } },
    { id: 'b', items: ['z', 'x'], timestampsMs: [1700000001000, 1700000003000], columns: { price: [2, 4.5] } },
  ]);
});

test('a row per session with lists, in the order of the file', async () => {
  const file = await parquet(
    'lists.parquet',
    `SELECT * FROM (VALUES (2, [7, 8, 7], ['p', NULL, 'q'], 'phone'), (1, [9], ['r'], 'desk'), (2, [5], ['s'], 'desk'))
     AS t (session_id, item_id, brand, device)`,
  );
  expect(await all(file, { ...names, others: ['brand', 'device'] })).toEqual([
    { id: '2', items: ['7', '8', '7'], columns: { brand: ['p', null, 'q'], device: ['phone', 'phone', 'phone'] } },
    { id: '1', items: ['9'], columns: { brand: ['r'], device: ['desk'] } },
    { id: '2', items: ['5'], columns: { brand: ['s'], device: ['desk'] } },
  ]);
});

test('dates are times; more sessions than one chunk come whole', async () => {
  const file = await parquet(
    'many.parquet',
    `SELECT i % 3000 AS session_id, i AS item_id, TIMESTAMP '2024-01-01' + INTERVAL (i) SECOND AS at
     FROM range(12000) t (i) ORDER BY hash(i)`,
  );
  const sessions = await all(file, { ...names, timestamp: 'at' });
  expect(sessions).toHaveLength(3000);
  for (const { id, items, timestampsMs } of sessions) {
    const expected = [0, 1, 2, 3].map((n) => Number(id) + 3000 * n);
    expect(items).toEqual(expected.map(String));
    expect(timestampsMs).toEqual(expected.map((i) => Date.UTC(2024, 0, 1) + 1000 * i));
  }
});

test('what is missing is named', async () => {
  const file = join(folder, 'holes.csv');
  writeFileSync(file, 'session_id,item_id,time\na,x,5\nb,,6\n');
  await expect(all(file, { session: 'user', item: 'item_id' })).rejects.toThrow(
    "expected a column 'user', got 'session_id', 'item_id', 'time'",
  );
  await expect(all(file, names)).rejects.toThrow('a row has no session, item or time');
  await expect(all(join(folder, 'none.parquet'), names)).rejects.toThrow('none.parquet: cannot be read');
  writeFileSync(file, 'session_id,item_id,time\na,x,5\n');
  await expect(all(file, { ...names, timestamp: 'time' })).rejects.toThrow(
    'the time 5 is between 1990 and 2100 in no unit',
  );
});
