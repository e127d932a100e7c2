import type { EventsDescription, LogDescription } from '@nimue/data';
import { formatCount, formatShare } from '../report/format.ts';
import { lengthQuantile, shareOfTopItems } from './session-length-bars.ts';

const UNIT_NAMES = {
  s: 'seconds',
  ms: 'milliseconds',
  us: 'microseconds',
  ns: 'nanoseconds',
  iso: 'written dates',
  typed: 'timestamps by type',
} as const;

export type TableRow = readonly [name: string, value: string];

/** What is said about the log as a whole. */
export function summaryRows({ numRows }: LogDescription, events: EventsDescription | undefined): TableRow[] {
  const rows: TableRow[] = [['rows', formatCount(numRows)]];
  if (!events) return rows;
  const { numEvents, numUsers, numSessions, numItems, times, itemEvents } = events;
  rows.push(['events', formatCount(numEvents)]);
  if (events.numMissingEvents > 0) {
    const share = formatShare(events.numMissingEvents / (numEvents + events.numMissingEvents));
    rows.push(['events without item, time or session/user', `${formatCount(events.numMissingEvents)} (${share})`]);
  }
  if (numUsers !== undefined) rows.push(['users', formatCount(numUsers)]);
  rows.push(['sessions', formatCount(numSessions)], ['items', formatCount(numItems)]);
  if (times) {
    const days = (times.toMs - times.fromMs) / 86_400_000;
    rows.push(['span', `${instant(times.fromMs)} … ${instant(times.toMs)}, ${days.toFixed(1)} days`]);
  }
  const quantiles = [0.5, 0.9, 0.99].map((share) => lengthQuantile(events, share));
  const longest = events.sessionLengths.at(-1)?.length ?? 0;
  const single = events.sessionLengths.find(({ length }) => length === 1)?.numSessions ?? 0;
  rows.push(
    [
      'session length',
      `mean ${(numEvents / numSessions).toFixed(2)}, median ${quantiles[0]}, 90 % ≤ ${quantiles[1]}, 99 % ≤ ${quantiles[2]}, longest ${formatCount(longest)}`,
    ],
    ['sessions of one event', `${formatCount(single)} (${formatShare(single / numSessions)})`],
    [
      'same item as the event before',
      `${formatCount(events.numRepeatedEvents)} (${formatShare(events.numRepeatedEvents / numEvents)})`,
    ],
    [
      'popularity',
      `top 1 % of items: ${formatShare(shareOfTopItems(events, 0.01))} of events, top 10 %: ${formatShare(shareOfTopItems(events, 0.1))}`,
    ],
    ['items with one event', formatCount(itemEvents.length - firstIndexOfOne(itemEvents))],
  );
  return rows;
}

/** Head and rows of the table of columns. */
export function columnTable({ columns, numRows }: LogDescription): { head: string[]; rows: string[][] } {
  return {
    head: ['column', 'values', 'missing', 'times', 'examples'],
    rows: columns.map(({ name, numValues, numMissing, times, examples }) => [
      name,
      `~${formatCount(numValues)}`,
      numMissing === 0 ? '0' : `${formatCount(numMissing)} (${formatShare(numMissing / numRows)})`,
      times ? `${UNIT_NAMES[times.unit]}, ${instant(times.fromMs)} … ${instant(times.toMs)}` : '',
      examples.map((example) => (example.length > 24 ? `${example.slice(0, 23)}…` : example)).join(', '),
    ]),
  };
}

function instant(ms: number): string {
  return new Date(ms).toISOString().slice(0, 16).replace('T', ' ');
}

/** Place of the first item with a single event in the falling list, its length when there is none. */
function firstIndexOfOne(itemEvents: Int32Array): number {
  const index = itemEvents.indexOf(1);
  return index < 0 ? itemEvents.length : index;
}
