import type { LogColumn, LogDescription } from '@nimue/data';

/** Which column of a log is what. */
export interface ColumnRoles {
  item?: string;
  timestamp?: string;
  session?: string;
  user?: string;
}

const NAMES: Readonly<Record<keyof ColumnRoles, RegExp>> = {
  session: /session|visit(?!or)|basket|^sid$/i,
  user: /user|customer|visitor|member|client|account|^uid$/i,
  item: /item|product|article|track|movie|song|video|sku|asin|^iid$/i,
  timestamp: /time|date|when|^ts$|^at$/i,
};
/** A column of which the name says that it describes an item or an event rather than identifies it. */
const ATTRIBUTE = /name|title|type|categor|price|count|size|start|brand|env|group/i;

/** Guesses from names and contents; a role that nothing fits stays empty. */
export function guessColumns({ columns, numRows }: LogDescription): ColumnRoles {
  const taken = new Set<string>();
  const roles: ColumnRoles = {};
  const pick = (role: keyof ColumnRoles, fits: (column: LogColumn) => boolean) => {
    const candidates = columns.filter(
      ({ name, ...rest }) => !taken.has(name) && NAMES[role].test(name) && fits({ name, ...rest }),
    );
    const best =
      candidates.find(({ name }) => /id$|_time$|timestamp/i.test(name) && !ATTRIBUTE.test(name)) ??
      candidates.find(({ name }) => !ATTRIBUTE.test(name)) ??
      candidates[0];
    if (!best) return;
    roles[role] = best.name;
    taken.add(best.name);
  };
  pick('timestamp', ({ times }) => times !== undefined);
  pick('session', ({ numValues }) => numValues < numRows);
  pick('user', ({ numValues }) => numValues < numRows);
  pick('item', ({ numValues }) => numValues > 1);
  return roles;
}

/** The longest windows of which the log has at least five; days when nothing is known. */
export function guessSpan(column: LogColumn | undefined): 'hour' | 'day' | 'week' {
  if (!column?.times) return 'day';
  const days = (column.times.toMs - column.times.fromMs) / 86_400_000;
  if (days < 5) return 'hour';
  return days < 60 ? 'day' : 'week';
}
