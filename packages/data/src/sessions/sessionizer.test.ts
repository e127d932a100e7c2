import fc from 'fast-check';
import { sessionize } from './sessionize.ts';
import type { EventChunk, SessionizerOptions } from './sessionizer.ts';

type Event = readonly [key: number, timeMs: number, item: number];

function chunkOf(events: readonly Event[]): EventChunk {
  return {
    length: events.length,
    keys: Int32Array.from(events, ([key]) => key),
    timestampsMs: Float64Array.from(events, ([, time]) => time),
    itemCodes: Int32Array.from(events, ([, , item]) => item),
  };
}

function sessionsOf(events: readonly Event[], options: SessionizerOptions, chunkSize = 3): number[][] {
  const chunks: EventChunk[] = [];
  for (let i = 0; i < events.length; i += chunkSize) chunks.push(chunkOf(events.slice(i, i + chunkSize)));
  const { itemCodes, offsets } = sessionize(chunks, options);
  return Array.from({ length: offsets.length - 1 }, (_, s) => [...itemCodes.subarray(offsets[s], offsets[s + 1])]);
}

const MINUTE = 60_000;

test('by session: a key is a session, whatever the pauses', () => {
  expect(
    sessionsOf(
      [
        [1, 0, 5],
        [1, 99 * MINUTE, 6],
        [2, 7, 8],
        [2, 7, 9],
      ],
      { by: 'session' },
    ),
  ).toEqual([
    [5, 6],
    [8, 9],
  ]);
});

test('by user: a pause of exactly gapMinutes stays, a longer one cuts', () => {
  const events: Event[] = [
    [1, 0, 5],
    [1, 30 * MINUTE, 6],
    [1, 60 * MINUTE + 1, 7],
    [1, 60 * MINUTE + 2, 8],
  ];
  expect(sessionsOf(events, { by: 'user' })).toEqual([
    [5, 6],
    [7, 8],
  ]);
  expect(sessionsOf(events, { by: 'user', gapMinutes: 31 })).toEqual([[5, 6, 7, 8]]);
});

test('repeats are dropped before the length is counted', () => {
  const events: Event[] = [
    [1, 0, 5],
    [1, 1, 5],
    [2, 2, 5],
    [2, 3, 5],
    [2, 4, 6],
    [2, 5, 5],
  ];
  expect(sessionsOf(events, { by: 'session', dropConsecutiveRepeats: true })).toEqual([[5, 6, 5]]);
});

test('maxLength keeps the newest events, the start stays', () => {
  const result = sessionize(
    [
      chunkOf([
        [1, 10, 5],
        [1, 11, 6],
        [1, 12, 7],
      ]),
    ],
    { by: 'session', maxLength: 2 },
  );
  expect([...result.itemCodes]).toEqual([6, 7]);
  expect([...result.startsMs]).toEqual([10]);
  expect([...(result.fullLengths ?? [])]).toEqual([3]);
  expect(result.counts).toEqual({
    numEvents: 3,
    numSessions: 1,
    numKeptSessions: 1,
    numKeptEvents: 2,
    numRepeatedEvents: 0,
    numShortSessions: 0,
    numTruncatedEvents: 1,
  });
});

test('a stated start orders the sessions', () => {
  const chunk = {
    ...chunkOf([
      [1, 10, 5],
      [1, 11, 6],
      [2, 10, 7],
      [2, 11, 8],
    ]),
    startsMs: Float64Array.of(9, 9, 3, 3),
  };
  expect([...sessionize([chunk], { by: 'session' }).itemCodes]).toEqual([7, 8, 5, 6]);
});

test.each<[string, readonly Event[], Partial<SessionizerOptions>]>([
  [
    'event 1: time falls from 5 to 4 within key 1; order the events by time',
    [
      [1, 5, 1],
      [1, 4, 2],
    ],
    {},
  ],
  [
    'event 4: key 1 comes after key 2; order the events by key',
    [
      [1, 5, 1],
      [1, 6, 1],
      [2, 5, 1],
      [2, 6, 1],
      [1, 7, 1],
    ],
    {},
  ],
  ['event 0: time is NaN', [[1, Number.NaN, 1]], {}],
  ['the log has no events', [], {}],
  [
    'every session has 1 event after grouping by session id (2 sessions from 2 events); minLength is 2',
    [
      [1, 1, 1],
      [2, 1, 1],
    ],
    {},
  ],
  [
    'every session has fewer than 3 events after cutting users at pauses of 30 minutes',
    [
      [1, 1, 1],
      [1, 2, 1],
    ],
    { by: 'user', minLength: 3 },
  ],
  ['gapMinutes must be positive, got 0', [], { gapMinutes: 0 }],
  ['minLength must be at least 1, got 0', [], { minLength: 0 }],
  ['maxLength is 1 but minLength is 2', [], { maxLength: 1 }],
])('refuses: %s', (message, events, options) => {
  expect(() => sessionsOf(events, { by: 'session', ...options })).toThrow(message);
});

/** The same, written the slow and obvious way. */
function naive(events: readonly Event[], options: Required<SessionizerOptions>): number[][] {
  const gapMs = options.gapMinutes === 'none' ? Number.POSITIVE_INFINITY : options.gapMinutes * MINUTE;
  const sessions: Event[][] = [];
  for (const event of events) {
    const open = sessions.at(-1);
    const last = open?.at(-1);
    const belongs = last && last[0] === event[0] && (options.by === 'session' || event[1] - last[1] <= gapMs);
    if (open && belongs) open.push(event);
    else sessions.push([event]);
  }
  return sessions
    .map((session) => ({ key: session[0][0], start: session[0][1], events: session }))
    .map((s) => ({
      ...s,
      events: options.dropConsecutiveRepeats
        ? s.events.filter((e, i) => i === 0 || e[2] !== s.events[i - 1][2])
        : s.events,
    }))
    .filter((s) => s.events.length >= options.minLength)
    .sort((a, b) => a.start - b.start || a.key - b.key)
    .map((s) => s.events.slice(-options.maxLength).map(([, , item]) => item));
}

test('equals the naive version on any ordered log and any chunk size', () => {
  const event = fc.tuple(
    fc.nat(4),
    fc.nat(200).map((minutes) => minutes * MINUTE),
    fc.nat(2),
  );
  const options = fc.record({
    by: fc.constantFrom('session' as const, 'user' as const),
    gapMinutes: fc.oneof(fc.integer({ min: 1, max: 60 }), fc.constant('none' as const)),
    minLength: fc.constant(1),
    maxLength: fc.integer({ min: 1, max: 5 }),
    dropConsecutiveRepeats: fc.boolean(),
  });
  fc.assert(
    fc.property(
      fc.array(event, { minLength: 1, maxLength: 40 }),
      options,
      fc.integer({ min: 1, max: 7 }),
      (events, chosen, size) => {
        const ordered = [...events].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
        expect(sessionsOf(ordered, chosen, size)).toEqual(naive(ordered, chosen));
      },
    ),
    { numRuns: 300, seed: 1 },
  );
});
