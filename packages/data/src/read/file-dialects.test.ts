import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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
const ARROW = join(FOLDER, '../arrow');
const FILES = readdirSync(FOLDER).filter((name) => /^(?!refused).*\.parquet$/.test(name));
const ARROW_FILES = readdirSync(ARROW).filter((name) => !name.startsWith('refused'));

let temporaryDirectory = '';
beforeEach(() => {
  temporaryDirectory = mkdtempSync(join(tmpdir(), 'nimue-dialects-'));
});
afterEach(() => rmSync(temporaryDirectory, { recursive: true, force: true }));

test('the fixtures are there', () => {
  expect(FILES).toHaveLength(19);
  expect(ARROW_FILES).toHaveLength(9);
});

test.each([...FILES, ...ARROW_FILES.map((name) => `../arrow/${name}`)])(
  '%s holds the same events as the others',
  async (file) => {
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
  },
);

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

test('Arrow: files that are cut off or damaged, and other files, are refused', async () => {
  const columns = { session: 'session', item: 'item', timestamp: 'time' };
  const openFile = (files: string) =>
    openEventLog({ files, format: 'arrow', columns, onMissing: 'error' }, { by: 'session', temporaryDirectory });
  for (const name of ['file.arrow', 'stream.arrows']) {
    const bytes = readFileSync(join(ARROW, name));
    for (const length of [100, bytes.length - 300, bytes.length - 1]) {
      const cut = join(temporaryDirectory, `cut-${length}-${name}`);
      writeFileSync(cut, bytes.subarray(0, length));
      await expect(openFile(cut)).rejects.toThrow(
        /cut-\d+-.*: the Arrow (file|stream) is cut off; copy or download it again/,
      );
    }
  }
  const damaged = readFileSync(join(ARROW, 'lz4.feather'));
  const frame = damaged.indexOf(Buffer.from([0x04, 0x22, 0x4d, 0x18]));
  damaged[frame] = 0;
  writeFileSync(join(temporaryDirectory, 'damaged.feather'), damaged);
  await expect(openFile(join(temporaryDirectory, 'damaged.feather'))).rejects.toThrow(
    'damaged.feather: cannot be read as Arrow: the LZ4 frame is damaged: it does not begin as a frame does',
  );
  await expect(openFile(join(FOLDER, 'polars.parquet'))).rejects.toThrow('neither an Arrow file nor an Arrow stream');
});
