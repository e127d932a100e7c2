import { type Calendar, createCalendar, type WindowSpan } from './calendar.ts';

/** A window before its sessions are known. */
export interface PlannedWindow {
  readonly id: string;
  readonly startMs: number;
  readonly endMs: number;
}

export interface WindowBounds {
  /**
   * A calendar span; `all`: one window for the whole log; `3d`: that many days (hours, weeks), from the first window on;
   * `cuts`: windows that begin at given instants; `testSize` and `numFolds`: equal folds at the end, and one window before.
   */
  readonly span:
    | WindowSpan
    | 'all'
    | string
    | { readonly cuts: readonly string[] }
    | { readonly testSize: string; readonly numFolds: number };
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
  if (bounds.span === 'all') assertNoBounds(bounds);
  if (bounds.span === 'all') return [{ id: 'all', startMs: range.firstMs, endMs: range.lastMs + 1 }];
  if (typeof bounds.span === 'object') {
    assertNoBounds(bounds);
    return 'cuts' in bounds.span ? planCuts(range, bounds.span, calendar) : planFolds(range, bounds.span, calendar);
  }
  const { span, size } = parseSpan(bounds.span);
  const next = (startMs: number) => {
    let end = startMs;
    for (let i = 0; i < size; i++) end = calendar.next(end, span);
    return end;
  };
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
    const endMs = next(startMs);
    const id = uniqueId(calendar, startMs, span, windows.at(-1)?.id);
    windows.push({ id: size === 1 ? id : `${id}_${bounds.span}`, startMs, endMs });
    startMs = endMs;
  }
  return windows;
}

/** @throws when bounds are given that the span does not use */
function assertNoBounds({ span, first, last, count }: WindowBounds): void {
  const given = Object.entries({ first, last, count }).find(([, value]) => value !== undefined);
  if (!given) return;
  const what = span === 'all' ? "'all' takes the whole log" : 'cuts and folds take the whole log';
  throw new Error(`planWindows: ${given[0]} is ${given[1]}, but span ${what}; remove ${given[0]}`);
}

/** A window before the first cut, where there is something, and one from each cut to the next. */
function planCuts(
  range: TimeRange,
  { cuts }: { readonly cuts: readonly string[] },
  calendar: Calendar,
): PlannedWindow[] {
  const starts = cuts.map((cut) => instantOf(cut, 'span.cuts', calendar));
  starts.forEach((start, i) => {
    if (i > 0 && start <= starts[i - 1]) {
      throw new Error(`planWindows: span.cuts must rise, but '${cuts[i]}' does not come after '${cuts[i - 1]}'`);
    }
    if (start <= range.firstMs || start > range.lastMs) {
      throw new Error(`planWindows: the cut '${cuts[i]}' lies outside the log, which runs ${spanOf(range)}`);
    }
  });
  const ends = [...starts.slice(1), range.lastMs + 1];
  return [
    { id: 'before', startMs: range.firstMs, endMs: starts[0] },
    ...starts.map((startMs, i) => ({ id: cuts[i].replace(/[^\w+-]/g, '-'), startMs, endMs: ends[i] })),
  ];
}

/**
 * Folds of equal calendar length that end with the last day (hour, week) of the log, and what comes before them.
 * Trained on everything before (`policy: expanding`), each fold is evaluated in turn.
 *
 * @param testSize such as `7d`
 * @throws when nothing is left before the first fold
 */
export function planFolds(
  range: TimeRange,
  { testSize, numFolds }: { readonly testSize: string; readonly numFolds: number },
  calendar: Calendar,
): PlannedWindow[] {
  const { span, size } = parseSpan(testSize);
  let startMs = calendar.next(calendar.startOf(range.lastMs, span), span);
  const folds: PlannedWindow[] = [];
  for (let fold = 0; fold < numFolds; fold++) {
    const endMs = startMs;
    for (let i = 0; i < size; i++) startMs = calendar.startOf(startMs - 1, span);
    folds.unshift({ id: `${calendar.idOf(startMs, span)}_${testSize.toLowerCase()}`, startMs, endMs });
  }
  if (startMs <= range.firstMs) {
    throw new Error(
      `planWindows: ${numFolds} folds of ${testSize} leave nothing before them; the log runs ${spanOf(range)}. Take fewer or shorter folds`,
    );
  }
  return [{ id: 'before', startMs: range.firstMs, endMs: startMs }, ...folds];
}

interface TimeRange {
  readonly firstMs: number;
  readonly lastMs: number;
}

const SPAN_OF_LETTER: Readonly<Record<string, WindowSpan>> = { h: 'hour', d: 'day', w: 'week' };

/** `day` is 1 day, `3d` are 3. @throws when the text is neither */
export function parseSpan(text: string): { span: WindowSpan; size: number } {
  if (text === 'hour' || text === 'day' || text === 'week') return { span: text, size: 1 };
  const match = /^([1-9]\d*)([hdw])$/.exec(text.toLowerCase());
  if (!match)
    throw new Error(`planWindows: '${text}' is no span; expected hour, day, week, all, or such as '12h' or '3d'`);
  return { span: SPAN_OF_LETTER[match[2]], size: Number(match[1]) };
}

function spanOf({ firstMs, lastMs }: TimeRange): string {
  return `from ${new Date(firstMs).toISOString()} to ${new Date(lastMs).toISOString()}`;
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
  return calendar.startOf(instantOf(text, name, calendar), span);
}

/** The first instant of a window id, or the instant that is written. */
export function instantOf(text: string, name: string, calendar: Calendar): number {
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
  return instantMs;
}
