import type { TimeUnit } from './dataset-schema.ts';

/** Times outside these years are taken for a wrong unit. */
export const EARLIEST_MS = Date.UTC(1990, 0, 1);
export const LATEST_MS = Date.UTC(2100, 0, 1);

type NumberUnit = Exclude<TimeUnit, 'iso'>;

/** Milliseconds in one unit. */
export const MS_PER_UNIT: Readonly<Record<NumberUnit, number>> = { s: 1000, ms: 1, us: 1e-3, ns: 1e-6 };

const UNIT_NAMES: Readonly<Record<NumberUnit, string>> = {
  s: 'seconds',
  ms: 'milliseconds',
  us: 'microseconds',
  ns: 'nanoseconds',
};

/**
 * The unit that puts both numbers between 1990 and 2100; there is at most one.
 *
 * @example
 * detectTimeUnit(1_506_826_800, 1_508_211_379); // 's'
 */
export function detectTimeUnit(min: number, max: number): NumberUnit | undefined {
  const units = Object.keys(MS_PER_UNIT) as NumberUnit[];
  return units.find((unit) => isPlausible(min * MS_PER_UNIT[unit]) && isPlausible(max * MS_PER_UNIT[unit]));
}

/** Bounds of the times that are believed: from 1990 on, up to 2100 or to a day from now, since clocks and zones differ. */
export function plausibleTimes(futureTimes: 'error' | 'allow' = 'error'): { earliestMs: number; latestMs: number } {
  const latestMs = futureTimes === 'allow' ? LATEST_MS : Math.min(LATEST_MS, Date.now() + 86_400_000);
  return { earliestMs: EARLIEST_MS, latestMs };
}

/**
 * @param where names file, row and column
 * @param latestMs times from here on are refused; default 2100
 * @throws when the times do not lie between 1990 and `latestMs`, naming the unit that would fit
 */
export function assertPlausibleTimes(
  where: string,
  minMs: number,
  maxMs: number,
  unit: TimeUnit | undefined,
  latestMs = LATEST_MS,
): void {
  if (isPlausible(minMs) && maxMs < latestMs) return;
  const wrongMs = isPlausible(minMs) ? maxMs : minMs;
  const read = unit && unit !== 'iso' ? ` read as ${UNIT_NAMES[unit]}` : '';
  const times = `${where}: times${read} run from ${describeMs(minMs)} to ${describeMs(maxMs)}`;
  if (isPlausible(wrongMs)) {
    throw new Error(
      `${times}, and ${describeMs(wrongMs)} is still to come; correct the file, or set dataset.futureTimes to 'allow' for a log that is made up`,
    );
  }
  let advice = 'no unit makes all of them plausible: look for damaged or placeholder times';
  if (unit && unit !== 'iso') {
    const fitting = detectTimeUnit(minMs / MS_PER_UNIT[unit], maxMs / MS_PER_UNIT[unit]);
    if (fitting) advice = `the time unit is probably wrong: timeUnit '${fitting}' (${UNIT_NAMES[fitting]}) would fit`;
  }
  throw new Error(`${times}, and ${describeMs(wrongMs)} is not between 1990 and 2100; ${advice}`);
}

/** A date as people write it, also far outside of what Date can hold. */
export function describeMs(ms: number): string {
  if (!Number.isFinite(ms)) return String(ms);
  if (Math.abs(ms) < 253_402_300_800_000) return new Date(ms).toISOString().replace('.000Z', 'Z');
  return `the year ${Math.round(1970 + ms / 31_556_952_000)}`;
}

function isPlausible(ms: number): boolean {
  return ms >= EARLIEST_MS && ms < LATEST_MS;
}
