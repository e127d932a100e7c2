import { splitOfSession } from '../dataset/split-of-session.ts';
import type { EventLog, KeyIds, StartRange } from '../read/event-log.ts';
import { Sessionizer, type SessionizerCounts } from '../sessions/sessionizer.ts';
import { type PlannedWindow, windowIndexOf } from '../windows/plan-windows.ts';
import type { PrepareOptions } from './prepare-windows.ts';
import type { SessionSample } from './session-sample.ts';
import type { WindowSpool } from './window-spool.ts';

/** The part of the log that the windows take, where they do not take it all. */
export function startRangeOf(
  plan: readonly PlannedWindow[],
  log: { readonly firstMs: number; readonly lastMs: number },
): StartRange | undefined {
  const fromMs = plan[0].startMs;
  const toMs = plan[plan.length - 1].endMs;
  return fromMs > log.firstMs || toMs <= log.lastMs ? { fromMs, toMs } : undefined;
}

/** Events → sessions → their windows, in one pass over what was selected. */
export async function spoolEvents(
  log: Pick<EventLog, 'events' | 'keys'>,
  plan: readonly PlannedWindow[],
  spool: WindowSpool,
  { sessions, split, sample }: Pick<PrepareOptions, 'sessions' | 'split'> & { readonly sample?: SessionSample },
  onEvents: (numEvents: number) => void,
): Promise<SessionizerCounts & { readonly numSessionsOutside: number }> {
  // The ids of the keys come in the same order as the keys, a little ahead of them.
  const keys = log.keys();
  let keyIds: KeyIds[] = [];
  let firstKey = 0;
  let numSessionsOutside = 0;
  const sessionizer = new Sessionizer(sessions, (session) => {
    const window = windowIndexOf(plan, session.startMs);
    if (window < 0) {
      numSessionsOutside++;
      return;
    }
    const { id, user } = keyIds[session.key - firstKey];
    const side = user === undefined ? splitOfSession(id, session.startMs, split) : splitOfSession(user, 0, split);
    const { startMs, fullLength, itemCodes, timestampsMs, columns } = session;
    sample?.add(id, startMs);
    spool.add(window, { id, startMs, isValid: side === 'valid', fullLength, itemCodes, timestampsMs, columns });
  });
  for await (const chunk of log.events()) {
    // The session that is still open belongs to the last key of the chunk before.
    const openKey = Math.max(firstKey, sessionizer.openKey);
    keyIds = keyIds.slice(openKey - firstKey);
    firstKey = openKey;
    while (firstKey + keyIds.length <= chunk.keys[chunk.length - 1]) {
      for (const key of (await keys.next()).value ?? []) keyIds.push(key);
    }
    sessionizer.push(chunk);
    onEvents(sessionizer.counts.numEvents);
  }
  const counts = sessionizer.finish();
  await keys.return(undefined);
  return { ...counts, numSessionsOutside };
}

/** @returns what to say when nothing was selected */
export function nothingStarts(
  plan: readonly PlannedWindow[],
  log: { readonly firstMs: number; readonly lastMs: number },
): Error {
  const span = `${plan[0].id} to ${plan[plan.length - 1].id}`;
  const logSpan = `${new Date(log.firstMs).toISOString()} to ${new Date(log.lastMs).toISOString()}`;
  return new Error(
    `prepareWindows: no session starts in the windows ${span}; the log runs from ${logSpan}. Change windows.first or windows.last`,
  );
}
