import { generateShop, type ShopInput, splitOfSession } from '@nimue/data';

interface Visit {
  readonly day: number;
  readonly id: string;
  readonly startMs: number;
  readonly items: string[];
}

/**
 * The popularity row counted by hand, from the generated events: yesterday's clicks rank today's items, ties count
 * against the target, an item that no earlier day has shown is a miss.
 *
 * @returns ranks of the last item of today's test sessions, per day from the second on; Infinity is a miss
 */
export function countPopularityRanks(shop: ShopInput): number[][] {
  const visits = readVisits(shop);
  const numDays = Math.max(...visits.map(({ day }) => day)) + 1;
  const ranks: number[][] = [];
  for (let day = 1; day < numDays; day++) {
    const known = new Set(visits.filter((visit) => visit.day < day).flatMap(({ items }) => items));
    const clicks = new Map([...known].map((item) => [item, 0]));
    for (const item of visits.filter((visit) => visit.day === day - 1).flatMap(({ items }) => items)) {
      clicks.set(item, (clicks.get(item) ?? 0) + 1);
    }
    const tested = visits.filter((visit) => visit.day === day && splitOfSession(visit.id, visit.startMs) === 'test');
    ranks.push(
      tested.map(({ items }) => {
        const own = clicks.get(items[items.length - 1]);
        if (own === undefined) return Number.POSITIVE_INFINITY;
        return [...clicks.values()].filter((count) => count >= own).length;
      }),
    );
  }
  return ranks;
}

function readVisits(shop: ShopInput): Visit[] {
  const visits = new Map<string, Visit>();
  let day = 0;
  for (const events of generateShop(shop)) {
    for (const [i, id] of events.sessionIds.entries()) {
      const visit = visits.get(id) ?? { day, id, startMs: events.timestampsMs[i], items: [] };
      visit.items.push(events.itemIds[i]);
      visits.set(id, visit);
    }
    day++;
  }
  return [...visits.values()];
}
