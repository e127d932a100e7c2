import type { RequestSession } from './request.ts';

/** What an event of a session did to the score of an item. */
export interface ItemEffect {
  readonly item: string;
  readonly effect: number;
}

/** The score of an item with the whole session less that without each event. */
export function explainItem(
  session: RequestSession,
  {
    isKnown,
    scoresOf,
  }: {
    readonly isKnown: (item: string | number) => boolean;
    /** Of the item that is explained, after each of the sessions. */
    readonly scoresOf: (sessions: readonly RequestSession[]) => readonly number[];
  },
): ItemEffect[] {
  const without = session.items.map((_, dropped) => withoutEvent(session, dropped));
  const [whole, ...others] = scoresOf([session, ...without]);
  return session.items.map((event, i) => ({ item: String(event), effect: isKnown(event) ? whole - others[i] : 0 }));
}

function withoutEvent({ items, timestampsMs, columns, context }: RequestSession, dropped: number): RequestSession {
  const cut = <T>(values: readonly T[]) => values.filter((_, i) => i !== dropped);
  return {
    items: cut(items),
    ...(timestampsMs && { timestampsMs: cut(timestampsMs) }),
    ...(columns && { columns: Object.fromEntries(Object.entries(columns).map(([name, cells]) => [name, cut(cells)])) }),
    ...(context && { context }),
  };
}
