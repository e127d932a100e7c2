import { type Calendar, createCalendar, type WindowSpan } from './calendar.ts';

/** A window before its sessions are known. */
export interface PlannedWindow {
  readonly id: string;
  readonly startMs: number;
  readonly endMs: number;
}

export interface WindowBounds {
  readonly span: WindowSpan;
  /** IANA time zone whose clock cuts the windows. Default `UTC`. */
  readonly timeZone?: string;
  /** First window: its id (`2017-10-01T03`) or any ISO instant in it. Default: the window of the first session start. */
  readonly first?: string;
  /** Last window, included. Default: the window of the last session start. */
  readonly last?: string;
  /** At most this many windows, counted from the first. */
  readonly count?: number;
}

/** More windows than this are taken for a mistake in the bounds or in the time unit. */
export const MAX_WINDOWS = 200_000;

/**
 * Cuts the time from the first to the last session start into calendar windows without gaps: a window in which nothing
 * happened is in the plan too. A session belongs to the window in which it starts.
 *
 * @param range first and last session start, in ms since 1970 UTC
 * @throws when `last` lies before `first`, or the plan would have more than 200,000 windows
 *
 * @example
 * planWindows({ firstMs: Date.UTC(2017, 9, 1, 2, 37), lastMs: Date.UTC(2017, 9, 1, 4) }, { span: 'hour' })
 *   .map((window) => window.id); // ['2017-10-01T02', '2017-10-01T03', '2017-10-01T04']
 */
export function planWindows(
  range: { readonly firstMs: number; readonly lastMs: number },
  bounds: WindowBounds,
): PlannedWindow[] {
  const calendar = createCalendar(bounds.timeZone);
  const { span } = bounds;
  const firstStart =
    bounds.first === undefined
      ? calendar.startOf(range.firstMs, span)
      : startOfBound(bounds.first, 'first', span, calendar);
  const lastStart =
    bounds.last === undefined
      ? calendar.startOf(range.lastMs, span)
      : startOfBound(bounds.last, 'last', span, calendar);
  if (!(lastStart >= firstStart)) {
    throw new Error(
      `planWindows: the last window ${calendar.idOf(lastStart, span)} lies before the first ${calendar.idOf(firstStart, span)}; ` +
        `the log has sessions from ${new Date(range.firstMs).toISOString()} to ${new Date(range.lastMs).toISOString()}`,
    );
  }
  const count = bounds.count ?? Number.POSITIVE_INFINITY;
  const windows: PlannedWindow[] = [];
  for (let startMs = firstStart; startMs <= lastStart && windows.length < count; ) {
    if (windows.length === MAX_WINDOWS) {
      throw new Error(
        `planWindows: more than ${MAX_WINDOWS} windows of one ${span}; check the bounds and the time unit`,
      );
    }
    const endMs = calendar.next(startMs, span);
    windows.push({ id: uniqueId(calendar, startMs, span, windows.at(-1)?.id), startMs, endMs });
    startMs = endMs;
  }
  return windows;
}

/**
 * The window that holds an instant, or -1 when it lies outside the plan.
 *
 * @param windows in time order, without gaps, as `planWindows` gives them
 */
export function windowIndexOf(windows: readonly PlannedWindow[], instantMs: number): number {
  let low = 0;
  let high = windows.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    if (instantMs < windows[middle].startMs) high = middle - 1;
    else if (instantMs >= windows[middle].endMs) low = middle + 1;
    else return middle;
  }
  return -1;
}

/** When the clock is set back, a local hour comes twice: the second one carries its offset, `2017-10-29T02+0100`. */
function uniqueId(calendar: Calendar, startMs: number, span: WindowSpan, previousId: string | undefined): string {
  const id = calendar.idOf(startMs, span);
  if (id !== previousId) return id;
  const minutes = Math.round(calendar.offsetMs(startMs) / 60_000);
  const clock = String(Math.floor(Math.abs(minutes) / 60) * 100 + (Math.abs(minutes) % 60)).padStart(4, '0');
  return `${id}${minutes < 0 ? '-' : '+'}${clock}`;
}

const ISO_LOCAL = /^(\d{4})-(\d{2})-(\d{2})(?:T(\d{2})(?::(\d{2})(?::(\d{2}))?)?)?$/;
const ISO_WEEK = /^(\d{4})-W(\d{2})$/;

function startOfBound(text: string, name: 'first' | 'last', span: WindowSpan, calendar: Calendar): number {
  const week = ISO_WEEK.exec(text);
  const local = ISO_LOCAL.exec(text);
  let localMs = Number.NaN;
  if (week) localMs = Date.UTC(Number(week[1]), 0, 4) + (Number(week[2]) - 1) * 7 * 86_400_000;
  else if (local) {
    const [year, month, day, hour, minute, second] = local.slice(1).map((part) => Number(part ?? 0));
    localMs = Date.UTC(year, month - 1, day, hour, minute, second);
    const echo = new Date(localMs);
    if (echo.getUTCMonth() !== month - 1 || echo.getUTCDate() !== day || hour > 23) localMs = Number.NaN;
  }
  let instantMs = localMs - calendar.offsetMs(Number.isNaN(localMs) ? 0 : localMs);
  if (!week && !local) instantMs = Date.parse(text);
  else if (!Number.isNaN(localMs)) instantMs = localMs - calendar.offsetMs(instantMs);
  if (Number.isNaN(instantMs)) {
    throw new Error(
      `planWindows: ${name} is '${text}'; expected a window id such as '2017-10-01T03', '2017-10-01' or '2017-W40', or an ISO instant`,
    );
  }
  return calendar.startOf(instantMs, span);
}
