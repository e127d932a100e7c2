import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { weightsOfEvents } from '../dataset/raw-columns.ts';
import { datasetSchema } from '../read/dataset-schema.ts';
import { openEngine } from '../read/engine.ts';
import { sessionsSchema } from '../sessions/sessions-schema.ts';
import { windowsSchema } from '../windows/windows-schema.ts';
import { prepareWindows } from './prepare-windows.ts';

let root = '';
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'nimue-event-weights-'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const T = Date.UTC(2024, 0, 1, 10) / 1000;
const LOG = `s,i,t,kind\na,x,${T},view\na,y,${T + 1},cart\nb,z,${T + 2},buy\nb,x,${T + 3},view\nb,x,${T + 4},scroll\n`;

let number = 0;
async function prepare(log: string, sessions: object, event: string | undefined = 'kind') {
  const files = join(root, `log${number++}.csv`);
  writeFileSync(files, log);
  return prepareFile(files, sessions, event);
}

async function prepareFile(files: string, sessions: object, event: string | undefined = 'kind') {
  return prepareWindows({
    dataset: datasetSchema.parse({ files, columns: { session: 's', item: 'i', timestamp: 't', event } }),
    sessions: sessionsSchema.parse(sessions),
    windows: windowsSchema.parse({ span: 'all' }),
    directory: join(root, 'prepared'),
  });
}

const WEIGHTS = { view: 1, cart: 2.5, buy: 5, scroll: 0 };

test.each(['csv', 'parquet'])('%s: every event carries the weight of its type', async (format) => {
  const file = join(root, `weights.${format}`);
  writeFileSync(join(root, 'weights.csv'), LOG);
  if (format === 'parquet') {
    const engine = await openEngine();
    await engine.run(`COPY (FROM read_csv('${join(root, 'weights.csv')}')) TO '${file}' (FORMAT parquet)`);
    engine.close();
  }
  const dataset = await prepareFile(file, { eventWeights: WEIGHTS });
  const sessions = await dataset.read(0, 'train');
  expect(Array.from(sessions.itemCodes, (code) => dataset.rawItemId(code))).toEqual(['x', 'y', 'z', 'x', 'x']);
  expect([...(weightsOfEvents(sessions) ?? [])]).toEqual([1, 2.5, 5, 1, 0]);
  dataset.close();
});

test('with eventTypes only the types that are left need a weight; without weights there are none', async () => {
  const some = await prepare(LOG, { eventTypes: ['view', 'cart'], eventWeights: { view: 1, cart: 3 }, minLength: 1 });
  expect([...(weightsOfEvents(await some.read(0, 'train')) ?? [])]).toEqual([1, 3, 1]);
  some.close();
  const none = await prepare(LOG, {});
  expect(weightsOfEvents(await none.read(0, 'train'))).toBeUndefined();
  none.close();
});

test('another weight is another preparation', async () => {
  const one = await prepare(LOG, { eventWeights: WEIGHTS });
  const other = await prepare(LOG, { eventWeights: { ...WEIGHTS, buy: 6 } });
  expect(other.key).not.toBe(one.key);
  one.close();
  other.close();
});

test('types that do not fit the log are refused, with what is near or where it stands', async () => {
  await expect(prepare(LOG, { eventWeights: { ...WEIGHTS, byu: 7 } })).rejects.toThrow(
    'sessions.eventWeights: ' +
      join(root, `log${number - 1}.csv`) +
      " has no event of type 'byu'; its types are view, buy, cart, scroll; did you mean 'buy'?",
  );
  await expect(prepare(LOG, { eventWeights: { view: 1, cart: 2, buy: 5 } })).rejects.toThrow(
    "has 1 events of type 'scroll', which has no weight; give it one, or leave them out with sessions.eventTypes",
  );
  await expect(prepare(LOG.replace('cart', ''), { eventWeights: { view: 1, buy: 5, scroll: 0 } })).rejects.toThrow(
    /log\d+\.csv, row 2 after the header: column 'kind' \(event\) is empty; 1 such row, and events without a type have no weight/,
  );
  expect(() => sessionsSchema.parse({ eventTypes: ['view'], eventWeights: { view: 1, buy: 2 } })).toThrow(
    "events of type 'buy' are left out by eventTypes (view); remove its weight",
  );
  expect(() => sessionsSchema.parse({ eventWeights: { view: 0 } })).toThrow('every weight is 0; expected one above it');
  expect(() => sessionsSchema.parse({ eventWeights: { view: -1 } })).toThrow();
});

test('a log without a column of types, or a generated one, has no weights', async () => {
  const files = join(root, 'plain.csv');
  writeFileSync(files, LOG);
  const rest = {
    sessions: sessionsSchema.parse({ eventWeights: { view: 1 } }),
    windows: windowsSchema.parse({ span: 'all' }),
    directory: join(root, 'prepared'),
  };
  const plain = datasetSchema.parse({ files, columns: { session: 's', item: 'i', timestamp: 't' } });
  await expect(prepareWindows({ dataset: plain, ...rest })).rejects.toThrow(
    'dataset.columns.event: missing, but sessions.eventWeights is given; name the column of event types',
  );
  await expect(prepareWindows({ dataset: datasetSchema.parse({ generated: 'shop' }), ...rest })).rejects.toThrow(
    'sessions.eventWeights: the events of a generated log have no types',
  );
});
