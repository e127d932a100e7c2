import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { filesDatasetSchema } from '../read/dataset-schema.ts';
import { sessionsSchema } from '../sessions/sessions-schema.ts';
import { describeEvents } from './describe-events.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nimue-describe-events-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Three sessions of u and one of v; x three times, y twice, z once; one event without item. Counted by hand. */
const LOG = `s,u,i,t
a,u,x,1506826800
a,u,x,1506826860
b,u,y,1506830460
c,u,z,1506834061
d,v,y,1506826800
d,v,x,1506826900
d,v,,1506826901
`;

function describeText(text: string, columns: object, sessions: object) {
  const file = join(folder, 'log.csv');
  writeFileSync(file, text);
  const dataset = filesDatasetSchema.parse({ files: file, columns, onMissing: 'drop' });
  return describeEvents(dataset, sessionsSchema.parse(sessions));
}

test('counts of given sessions, with the users behind them', async () => {
  expect(await describeText(LOG, { session: 's', user: 'u', item: 'i', timestamp: 't' }, { by: 'session' })).toEqual({
    numEvents: 6,
    numMissingEvents: 1,
    numRepeatedEvents: 1,
    numUsers: 2,
    numSessions: 4,
    numItems: 3,
    times: { fromMs: 1506826800000, toMs: 1506834061000 },
    sessionLengths: [
      { length: 1, numSessions: 2 },
      { length: 2, numSessions: 2 },
    ],
    itemEvents: Int32Array.of(3, 2, 1),
  });
});

test('by user the pause decides what a session is', async () => {
  const columns = { user: 'u', item: 'i', timestamp: 't' };
  const hour = await describeText(LOG, columns, { by: 'user', gapMinutes: 60 });
  expect(hour.sessionLengths).toEqual([
    { length: 1, numSessions: 1 },
    { length: 2, numSessions: 1 },
    { length: 3, numSessions: 1 },
  ]);
  expect(hour.numUsers).toBe(2);
  const whole = await describeText(LOG, columns, { by: 'user', gapMinutes: 'none' });
  expect(whole.sessionLengths.map(({ length }) => length)).toEqual([2, 4]);
});

test('a log without times and without users says so', async () => {
  const { times, numUsers, numSessions } = await describeText(LOG, { session: 's', item: 'i' }, { by: 'session' });
  expect([times, numUsers, numSessions]).toEqual([undefined, undefined, 4]);
});
