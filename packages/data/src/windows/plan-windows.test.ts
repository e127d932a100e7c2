import fc from 'fast-check';
import { createCalendar, DAY_MS, HOUR_MS } from './calendar.ts';
import { planWindows, windowIndexOf } from './plan-windows.ts';

const at = (text: string) => Date.parse(text);
const ids = (first: string, last: string, bounds: Parameters<typeof planWindows>[1]) =>
  planWindows({ firstMs: at(first), lastMs: at(last) }, bounds).map(({ id }) => id);

test('hours, days and ISO weeks in UTC', () => {
  expect(ids('2017-10-01T02:37Z', '2017-10-01T04:00Z', { span: 'hour' })).toEqual([
    '2017-10-01T02',
    '2017-10-01T03',
    '2017-10-01T04',
  ]);
  expect(ids('2017-12-31T23:59Z', '2018-01-01T00:00Z', { span: 'day' })).toEqual(['2017-12-31', '2018-01-01']);
  expect(ids('2020-12-27T12:00Z', '2021-01-04T00:00Z', { span: 'week' })).toEqual(['2020-W52', '2020-W53', '2021-W01']);
});

test('a time zone moves the day', () => {
  const [day] = planWindows(
    { firstMs: at('2017-10-01T02:37Z'), lastMs: at('2017-10-01T02:37Z') },
    { span: 'day', timeZone: 'America/Sao_Paulo' },
  );
  expect(day).toEqual({ id: '2017-09-30', startMs: at('2017-09-30T03:00Z'), endMs: at('2017-10-01T03:00Z') });
});

test('daylight saving: days of 23 and 25 hours, an hour that comes twice, a midnight that does not exist', () => {
  const hours = (first: string, timeZone: string) => {
    const [window] = planWindows({ firstMs: at(first), lastMs: at(first) }, { span: 'day', timeZone });
    return [window.id, (window.endMs - window.startMs) / HOUR_MS];
  };
  expect(hours('2017-03-26T12:00Z', 'Europe/Berlin')).toEqual(['2017-03-26', 23]);
  expect(hours('2017-10-29T12:00Z', 'Europe/Berlin')).toEqual(['2017-10-29', 25]);
  expect(ids('2017-10-29T00:00Z', '2017-10-29T02:00Z', { span: 'hour', timeZone: 'Europe/Berlin' })).toEqual([
    '2017-10-29T02',
    '2017-10-29T02+0100',
    '2017-10-29T03',
  ]);
  const [spring] = planWindows(
    { firstMs: at('2017-10-15T12:00Z'), lastMs: at('2017-10-15T12:00Z') },
    { span: 'day', timeZone: 'America/Sao_Paulo' },
  );
  expect(spring).toEqual({ id: '2017-10-15', startMs: at('2017-10-15T03:00Z'), endMs: at('2017-10-16T02:00Z') });
});

test('bounds: first, last, count, as ids or instants', () => {
  const log = ['2017-10-01T02:37Z', '2017-10-17T03:36Z'] as const;
  expect(ids(...log, { span: 'hour', count: 48 })).toHaveLength(48);
  expect(ids(...log, { span: 'hour', first: '2017-10-02T05', count: 2 })).toEqual(['2017-10-02T05', '2017-10-02T06']);
  expect(ids(...log, { span: 'day', first: '2017-10-02', last: '2017-10-03' })).toEqual(['2017-10-02', '2017-10-03']);
  expect(ids(...log, { span: 'week', first: '2017-W40', last: '2017-W41' })).toEqual(['2017-W40', '2017-W41']);
  expect(ids(...log, { span: 'day', first: '2017-10-05T23:00:00Z', count: 1 })).toEqual(['2017-10-05']);
  expect(ids(...log, { span: 'day', first: '2017-10-05', count: 1, timeZone: 'Asia/Tokyo' })).toEqual(['2017-10-05']);
  expect(() => ids(...log, { span: 'day', first: '2017-13-40' })).toThrow(
    "first is '2017-13-40'; expected a window id",
  );
  expect(() => ids(...log, { span: 'day', last: '2017-09-01' })).toThrow(
    'the last window 2017-09-01 lies before the first 2017-10-01',
  );
  expect(() => ids(...log, { span: 'day', timeZone: 'Mars/Base' })).toThrow("unknown time zone 'Mars/Base'");
  expect(() => ids('1990-01-01T00:00Z', '2050-01-01T00:00Z', { span: 'hour' })).toThrow('more than 200000 windows');
});

test('several days, hours or weeks at a time; the whole log', () => {
  const log = ['2017-10-01T02:37Z', '2017-10-08T03:36Z'] as const;
  expect(ids(...log, { span: '3d' })).toEqual(['2017-10-01_3d', '2017-10-04_3d', '2017-10-07_3d']);
  expect(ids(...log, { span: '2D', count: 1 })).toEqual(['2017-10-01_2D']);
  expect(ids('2017-10-01T02:37Z', '2017-10-01T15:00Z', { span: '12h' })).toEqual([
    '2017-10-01T02_12h',
    '2017-10-01T14_12h',
  ]);
  expect(planWindows({ firstMs: 5, lastMs: 7 }, { span: 'all' })).toEqual([{ id: 'all', startMs: 5, endMs: 8 }]);
  expect(() => ids(...log, { span: 'month' })).toThrow("'month' is no span; expected hour, day, week, all, or such as");
  expect(() => ids(...log, { span: 'all', count: 2 })).toThrow("count is 2, but span 'all' takes the whole log");
});

test('cuts: what lies before the first one is a window too', () => {
  const log = ['2017-10-01T02:37Z', '2017-10-17T03:36Z'] as const;
  const windows = planWindows(
    { firstMs: at(log[0]), lastMs: at(log[1]) },
    { span: { cuts: ['2017-10-10', '2017-10-12T06'] } },
  );
  expect(windows).toEqual([
    { id: 'before', startMs: at(log[0]), endMs: at('2017-10-10T00:00Z') },
    { id: '2017-10-10', startMs: at('2017-10-10T00:00Z'), endMs: at('2017-10-12T06:00Z') },
    { id: '2017-10-12T06', startMs: at('2017-10-12T06:00Z'), endMs: at(log[1]) + 1 },
  ]);
  expect(() => ids(...log, { span: { cuts: ['2017-10-12', '2017-10-10'] } })).toThrow(
    "span.cuts must rise, but '2017-10-10' does not come after '2017-10-12'",
  );
  expect(() => ids(...log, { span: { cuts: ['2018-01-01'] } })).toThrow("the cut '2018-01-01' lies outside the log");
});

test('folds: equal spans that end with the last day of the log', () => {
  const log = ['2017-10-01T02:37Z', '2017-10-17T03:36Z'] as const;
  const range = { firstMs: at(log[0]), lastMs: at(log[1]) };
  // By hand: the log ends on the 17th, so two folds of a week are 4–10 and 11–17 October.
  expect(planWindows(range, { span: { testSize: '7D', numFolds: 2 } })).toEqual([
    { id: 'before', startMs: range.firstMs, endMs: at('2017-10-04T00:00Z') },
    { id: '2017-10-04_7d', startMs: at('2017-10-04T00:00Z'), endMs: at('2017-10-11T00:00Z') },
    { id: '2017-10-11_7d', startMs: at('2017-10-11T00:00Z'), endMs: at('2017-10-18T00:00Z') },
  ]);
  expect(() => planWindows(range, { span: { testSize: '7d', numFolds: 3 } })).toThrow(
    '3 folds of 7d leave nothing before them',
  );
});

test('windows have no gaps, and every instant lies in the one that a search from the first finds', () => {
  const zones = fc.constantFrom('UTC', 'Europe/Berlin', 'America/Sao_Paulo', 'Asia/Kolkata', 'America/New_York');
  const spans = fc.constantFrom('hour', 'day', 'week', '5h', '3d', '2w');
  const start = fc.integer({ min: at('2015-01-01T00:00Z'), max: at('2019-01-01T00:00Z') });
  fc.assert(
    fc.property(
      zones,
      spans,
      start,
      fc.nat(40 * DAY_MS),
      fc.nat(1_000_000),
      (timeZone, span, firstMs, length, part) => {
        const lastMs = firstMs + length;
        const windows = planWindows({ firstMs, lastMs }, { span, timeZone });
        for (let w = 1; w < windows.length; w++) expect(windows[w].startMs).toBe(windows[w - 1].endMs);
        expect(new Set(windows.map(({ id }) => id)).size).toBe(windows.length);
        const instant = firstMs + Math.floor((length * part) / 1_000_000);
        const found = windowIndexOf(windows, instant);
        expect(found).toBe(windows.findIndex((window) => instant >= window.startMs && instant < window.endMs));
        expect(found).toBeGreaterThanOrEqual(0);
        expect(windowIndexOf(windows, windows[0].startMs - 1)).toBe(-1);
        expect(windowIndexOf(windows, windows[windows.length - 1].endMs)).toBe(-1);
        if (!span.endsWith('h') && span !== 'hour') {
          const calendar = createCalendar(timeZone);
          const local = new Date(windows[found].startMs + calendar.offsetMs(windows[found].startMs));
          if (timeZone !== 'America/Sao_Paulo') expect(local.getUTCHours()).toBe(0);
          if (span.startsWith('w') || span === '2w') expect(local.getUTCDay()).toBe(1);
        }
      },
    ),
    { numRuns: 100, seed: 2 },
  );
});
