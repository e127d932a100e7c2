import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEventLog } from './event-log.ts';

const FOLDER = join(import.meta.dirname, '../../fixtures/parquet');
const ANSWER: {
  numEvents: number;
  firstMs: number;
  lastMs: number;
  firstSession: [string, string[]];
  lastSession: [string, string[]];
} = JSON.parse(readFileSync(join(FOLDER, 'answer.json'), 'utf8'));
const FILES = readdirSync(FOLDER).filter((name) => /^(?!refused).*\.parquet$/.test(name));

let temporaryDirectory = '';
beforeEach(() => {
  temporaryDirectory = mkdtempSync(join(tmpdir(), 'nimue-dialects-'));
});
afterEach(() => rmSync(temporaryDirectory, { recursive: true, force: true }));

test('the fixtures are there', () => {
  expect(FILES).toHaveLength(19);
});

test.each(FILES)('%s holds the same events as the others', async (file) => {
  const columns = { session: 'session', item: 'item', timestamp: 'time' };
  const log = await openEventLog(
    { files: join(FOLDER, file), columns, onMissing: 'error' },
    { by: 'session', temporaryDirectory },
  );
  try {
    expect(await log.select()).toMatchObject({ numEvents: ANSWER.numEvents, numKeys: 200, numItems: 300 });
    expect([log.firstMs, log.lastMs]).toEqual([ANSWER.firstMs, ANSWER.lastMs]);
    const items = await log.itemIds();
    const keys: string[] = [];
    for await (const chunk of log.keys()) keys.push(...chunk.map(({ id }) => id));
    const itemsOf: Record<string, string[]> = {};
    const times: number[] = [];
    for await (const chunk of log.events()) {
      for (let e = 0; e < chunk.length; e++) {
        const key = keys[chunk.keys[e]];
        itemsOf[key] = [...(itemsOf[key] ?? []), items[chunk.itemCodes[e]]];
        times.push(chunk.timestampsMs[e]);
      }
    }
    for (const [id, expected] of [ANSWER.firstSession, ANSWER.lastSession]) expect(itemsOf[id]).toEqual(expected);
    expect(times.sort((a, b) => a - b)).toEqual(
      Array.from({ length: ANSWER.numEvents }, (_, n) => ANSWER.firstMs + 1000 * n),
    );
  } finally {
    log.close();
  }
});

test('whole numbers in BYTE_STREAM_SPLIT, which the engine does not know, are refused with the reason', async () => {
  const columns = { session: 'session', item: 'item', timestamp: 'time' };
  const log = await openEventLog(
    { files: join(FOLDER, 'refused-byte-stream-split.parquet'), columns, onMissing: 'error' },
    { by: 'session', temporaryDirectory },
  );
  await expect(log.select()).rejects.toThrow(
    /refused-byte-stream-split\.parquet: .*BYTE_STREAM_SPLIT encoding is only/,
  );
  log.close();
});
