/** The calendar spans a log can be cut into; a week is an ISO week, Monday to Sunday. */
export type WindowSpan = 'hour' | 'day' | 'week';

export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;

/** Calendar arithmetic in one time zone, correct across daylight saving. All instants are milliseconds since 1970 UTC. */
export interface Calendar {
  readonly timeZone: string;
  /** What has to be added to UTC for the local clock, in ms. */
  offsetMs(instantMs: number): number;
  /** First instant of the span that holds `instantMs`. */
  startOf(instantMs: number, span: WindowSpan): number;
  /** First instant of the span after the one that starts at `startMs`. */
  next(startMs: number, span: WindowSpan): number;
  /** `2017-10-01T03`, `2017-10-01` or `2017-W40` of the span that starts at `startMs`. */
  idOf(startMs: number, span: WindowSpan): string;
}

/**
 * @param timeZone IANA name such as `UTC` or `America/Sao_Paulo`
 * @throws when the time zone does not exist
 *
 * @example
 * createCalendar('Europe/Berlin').idOf(Date.UTC(2017, 9, 1, 1), 'hour'); // '2017-10-01T03'
 */
export function createCalendar(timeZone = 'UTC'): Calendar {
  const offsetMs = createOffset(timeZone);

  /** First instant whose local clock shows at least `localMs` on that local day (midnight may be skipped in spring). */
  function fromLocal(localMs: number): number {
    const candidates = [localMs - offsetMs(localMs - DAY_MS), localMs - offsetMs(localMs + DAY_MS)];
    candidates.sort((a, b) => a - b);
    return candidates.find((instant) => instant + offsetMs(instant) >= localMs) ?? candidates[1];
  }

  function startOf(instantMs: number, span: WindowSpan): number {
    const offset = offsetMs(instantMs);
    const localMs = instantMs + offset;
    if (span === 'hour') return Math.floor(localMs / HOUR_MS) * HOUR_MS - offset;
    return fromLocal(span === 'day' ? floorDay(localMs) : floorWeek(localMs));
  }

  function next(startMs: number, span: WindowSpan): number {
    if (span === 'hour') return startMs + HOUR_MS;
    const localDay = floorDay(startMs + offsetMs(startMs));
    return fromLocal(localDay + (span === 'day' ? 1 : 7) * DAY_MS);
  }

  function idOf(startMs: number, span: WindowSpan): string {
    const local = new Date(startMs + offsetMs(startMs)).toISOString();
    if (span === 'hour') return local.slice(0, 13);
    if (span === 'day') return local.slice(0, 10);
    return isoWeekId(floorDay(startMs + offsetMs(startMs)));
  }

  return { timeZone, offsetMs, startOf, next, idOf };
}

function floorDay(localMs: number): number {
  return Math.floor(localMs / DAY_MS) * DAY_MS;
}

/** Monday 00:00; 1970-01-01 was a Thursday. */
function floorWeek(localMs: number): number {
  const day = Math.floor(localMs / DAY_MS);
  return (day - ((((day + 3) % 7) + 7) % 7)) * DAY_MS;
}

/** An ISO week belongs to the year of its Thursday. */
function isoWeekId(mondayMs: number): string {
  const year = new Date(mondayMs + 3 * DAY_MS).getUTCFullYear();
  const firstMonday = floorWeek(Date.UTC(year, 0, 4));
  const week = 1 + Math.round((mondayMs - firstMonday) / (7 * DAY_MS));
  return `${year}-W${String(week).padStart(2, '0')}`;
}

function createOffset(timeZone: string): (instantMs: number) => number {
  if (timeZone === 'UTC') return () => 0;
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      calendar: 'gregory',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  } catch {
    throw new Error(
      `createCalendar: unknown time zone '${timeZone}'; expected an IANA name such as 'UTC' or 'Asia/Tokyo'`,
    );
  }
  return (instantMs) => {
    const field: Record<string, number> = {};
    for (const { type, value } of format.formatToParts(instantMs)) field[type] = Number(value);
    const localMs = Date.UTC(field.year, field.month - 1, field.day, field.hour, field.minute, field.second);
    return localMs - Math.floor(instantMs / 1000) * 1000;
  };
}
