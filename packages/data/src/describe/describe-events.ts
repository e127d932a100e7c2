import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FilesDataset } from '../read/dataset-schema.ts';
import { openEventLog } from '../read/event-log.ts';
import { Sessionizer } from '../sessions/sessionizer.ts';
import type { SessionsConfig } from '../sessions/sessions-schema.ts';

/** What a log holds once it is known which column is what. */
export interface EventsDescription {
  /** Events with all cells that matter; filters of the `sessions` section have been applied. */
  readonly numEvents: number;
  /** Left out because item, time, or session/user is missing. */
  readonly numMissingEvents: number;
  /** Events of the same item as the one before, in the same session. */
  readonly numRepeatedEvents: number;
  /** Where the log names users. */
  readonly numUsers?: number;
  /** Sessions of any length. */
  readonly numSessions: number;
  readonly numItems: number;
  /** First and last event, where the log has times. */
  readonly times?: { readonly fromMs: number; readonly toMs: number };
  /** How many sessions have how many events, by rising length. */
  readonly sessionLengths: readonly { readonly length: number; readonly numSessions: number }[];
  /** Events of every item [V], falling. */
  readonly itemEvents: Int32Array;
}

/**
 * Reads a log into sessions and describes them. Sessions of one event are counted too; `minLength` and `maxLength` do not apply.
 *
 * @throws when the log cannot be read, naming file, row and column
 */
export async function describeEvents(
  dataset: FilesDataset,
  sessions: SessionsConfig,
  { memoryLimit }: { readonly memoryLimit?: string } = {},
): Promise<EventsDescription> {
  const temporaryDirectory = await mkdtemp(join(tmpdir(), 'nimue-describe-'));
  const { by } = sessions;
  const withUsers = by === 'session' && dataset.columns.user !== undefined;
  try {
    const log = await openEventLog(dataset, {
      by,
      gapMinutes: sessions.gapMinutes,
      eventTypes: sessions.eventTypes,
      support: sessions,
      withUsers,
      temporaryDirectory,
      memoryLimit,
    });
    try {
      const selected = await log.select();
      const itemEvents = new Int32Array(selected.numItems);
      const lengths = new Map<number, number>();
      let numRepeatedEvents = 0;
      let fromMs = Number.POSITIVE_INFINITY;
      let toMs = Number.NEGATIVE_INFINITY;
      const sessionizer = new Sessionizer(
        { by, gapMinutes: sessions.gapMinutes, minLength: 1 },
        ({ itemCodes, timestampsMs }) => {
          lengths.set(itemCodes.length, (lengths.get(itemCodes.length) ?? 0) + 1);
          for (let e = 0; e < itemCodes.length; e++) {
            itemEvents[itemCodes[e]]++;
            if (e > 0 && itemCodes[e] === itemCodes[e - 1]) numRepeatedEvents++;
          }
          fromMs = Math.min(fromMs, timestampsMs[0]);
          toMs = Math.max(toMs, timestampsMs[timestampsMs.length - 1]);
        },
      );
      for await (const chunk of log.events()) sessionizer.push(chunk);
      const counts = sessionizer.finish();
      const users = new Set<string>();
      if (withUsers) for await (const keys of log.keys()) for (const { user } of keys) if (user) users.add(user);
      return {
        numEvents: counts.numEvents,
        numMissingEvents: selected.missing.numEvents,
        numRepeatedEvents,
        ...(withUsers && { numUsers: users.size }),
        ...(by === 'user' && { numUsers: selected.numKeys }),
        numSessions: counts.numSessions,
        numItems: selected.numItems,
        ...(log.hasTimes && { times: { fromMs, toMs } }),
        sessionLengths: [...lengths]
          .map(([length, numSessions]) => ({ length, numSessions }))
          .sort((a, b) => a.length - b.length),
        itemEvents: itemEvents.sort().reverse(),
      };
    } finally {
      log.close();
    }
  } finally {
    await rm(temporaryDirectory, { recursive: true, force: true });
  }
}
