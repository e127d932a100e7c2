import { planWindows, type WindowBounds, windowIndexOf } from '../windows/plan-windows.ts';
import { carriedColumns } from './plain-columns.ts';
import { assertPlainSession, type PlainSession, toColumns } from './plain-sessions.ts';
import { emptySessions, type Sessions, takeSessions } from './sessions.ts';
import { keyOfSession, type SplitOptions, splitOfSession } from './split-of-session.ts';
import type { SplitName, WindowedDataset, WindowInfo } from './windowed-dataset.ts';

export interface DatasetFromSessionsOptions {
  /** Default: days in UTC. */
  readonly windows?: WindowBounds;
  readonly split?: SplitOptions;
}

/**
 * A data set in memory from plain arrays: for tests and small logs. Sessions are taken as they are, without length
 * filter.
 *
 * @throws when there is no session, a session is empty, or its times are missing, not finite or falling
 *
 * @example
 * const dataset = datasetFromSessions([
 *   { items: ['a', 'b'], timestampsMs: [Date.UTC(2024, 0, 1, 8), Date.UTC(2024, 0, 1, 9)] },
 *   { items: ['b', 'c'], timestampsMs: [Date.UTC(2024, 0, 2, 8), Date.UTC(2024, 0, 2, 9)] },
 * ]);
 * dataset.windows.map((window) => window.id); // ['2024-01-01', '2024-01-02']
 */
export function datasetFromSessions(
  sessions: readonly PlainSession[],
  options: DatasetFromSessionsOptions = {},
): WindowedDataset {
  if (sessions.length === 0) throw new Error('datasetFromSessions: expected at least one session, got none');
  for (const [s, session] of sessions.entries()) assertPlainSession(session, s);
  const ids = sessions.map((session, s) => session.id ?? String(s));
  const order = sessions.map((_, s) => s);
  order.sort((a, b) => sessions[a].timestampsMs[0] - sessions[b].timestampsMs[0] || compareText(ids[a], ids[b]));

  const { columns, rawIds, codes } = toColumns(order.map((s) => sessions[s]));
  const starts = order.map((s) => sessions[s].timestampsMs[0]);
  const sessionKeys = Int32Array.from(order, (s, position) => keyOfSession(ids[s], starts[position]));
  const { texts, ...carried } = carriedColumns(order.map((s) => sessions[s]));
  const keyed: Sessions = { ...columns, ...carried, sessionKeys };
  const plan = planWindows(
    { firstMs: starts[0], lastMs: starts[starts.length - 1] },
    options.windows ?? { span: 'day' },
  );

  const members: Record<SplitName, number[]>[] = plan.map(() => ({ train: [], valid: [], test: [] }));
  order.forEach((s, position) => {
    const window = windowIndexOf(plan, starts[position]);
    if (window < 0) return;
    members[window].train.push(position);
    members[window][splitOfSession(ids[s], starts[position], options.split)].push(position);
  });
  const windows: WindowInfo[] = plan.map((window, w) => {
    const { offsets } = takeSessions(columns, members[w].train);
    return { ...window, numSessions: members[w].train.length, numEvents: offsets[offsets.length - 1] };
  });

  return {
    windows,
    numRawItems: rawIds.length,
    hasTimes: true,
    texts,
    rawItemId(code) {
      if (rawIds[code] === undefined) {
        throw new Error(`rawItemId: no item has code ${code}; codes are 0 … ${rawIds.length - 1}`);
      }
      return rawIds[code];
    },
    itemCode: (rawId) => codes.get(rawId),
    async read(windowIndex, split) {
      assertWindowIndex(windowIndex, windows);
      return windows[windowIndex].numSessions === 0
        ? emptySessions()
        : takeSessions(keyed, members[windowIndex][split]);
    },
  };
}

/** @throws when the window does not exist */
export function assertWindowIndex(windowIndex: number, windows: readonly WindowInfo[]): void {
  if (windows[windowIndex] === undefined) {
    throw new Error(`read: there is no window ${windowIndex}; windows are 0 … ${windows.length - 1}`);
  }
}

/** Orders text by UTF-16 code unit, the same on every machine. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
