import { sessionsSchema } from '../sessions/sessions-schema.ts';
import { rollingEvaluationSchema, windowsSchema } from '../windows/windows-schema.ts';
import { datasetSchema } from './dataset-schema.ts';
import { didYouMean } from './did-you-mean.ts';
import { detectTimeUnit } from './time-unit.ts';

const columns = { session: 's', item: 'i', timestamp: 't' };

test('defaults are filled in', () => {
  expect(datasetSchema.parse({ files: 'x.csv', columns })).toEqual({ files: 'x.csv', columns, onMissing: 'error' });
  expect(datasetSchema.parse({ generated: 'shop' })).toMatchObject({
    generated: 'shop',
    days: 8,
    sessionsPerDay: 1500,
    numItems: 1000,
    seed: 1,
  });
  expect(sessionsSchema.parse({})).toEqual({
    by: 'session',
    gapMinutes: 30,
    minItemEvents: 1,
    minKeyEvents: 1,
    supportPasses: 'once',
    minLength: 2,
    dropConsecutiveRepeats: false,
  });
  expect(windowsSchema.parse({ span: 'day' })).toEqual({ span: 'day', timeZone: 'UTC' });
  expect(rollingEvaluationSchema.parse({ policy: 'frozen' })).toEqual({
    policy: 'frozen',
    size: 1,
    emptyWindows: 'skip',
    minSessions: 1,
  });
});

test('issues carry the path and speak about what was meant', () => {
  const issuesOf = (value: unknown) =>
    (datasetSchema.safeParse(value).error?.issues ?? []).map(({ code, path }) => [code, path.join('.')]);
  expect(issuesOf({ files: 'x.csv', columns: { ...columns, itm: 'i' } })).toEqual([['unrecognized_keys', 'columns']]);
  expect(issuesOf({ files: 'x.csv', columns, timeUnit: 'minutes' })).toEqual([['invalid_value', 'timeUnit']]);
  expect(issuesOf({ generated: 'shop', days: 'many' })).toEqual([['invalid_type', 'days']]);
  expect(issuesOf({ files: 'x.csv' })).toEqual([['invalid_type', 'columns']]);
  expect(issuesOf('x.csv')).toEqual([['custom', '']]);
});

test('didYouMean finds near names only', () => {
  expect(didYouMean('sesion_id', ['item', 'session_id'])).toBe("; did you mean 'session_id'?");
  expect(didYouMean('time', ['user', 'price'])).toBe('');
});

test('at most one unit puts a time between 1990 and 2100', () => {
  const seconds = 1_506_826_800;
  expect([1, 1e3, 1e6, 1e9].map((factor) => detectTimeUnit(seconds * factor, seconds * factor))).toEqual([
    's',
    'ms',
    'us',
    'ns',
  ]);
  expect(detectTimeUnit(5, 5)).toBeUndefined();
  expect(detectTimeUnit(seconds, seconds * 1e3)).toBeUndefined();
});
