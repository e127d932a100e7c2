import { z } from 'zod';
import { sqlName, sqlText } from './engine.ts';

const column = z.string().min(1);

/** Column of the number of a row's file. */
export const FILE_NUMBER = '"file number"';

/** A time that several columns say together: a date in parts, a date and the time since, or a numbered day; or the file does. */
export const derivedTimeSchema = z.union([
  z.strictObject({
    year: column.describe('Column of years.'),
    month: column.describe('Column of months, 1 … 12.'),
    day: column.describe('Column of days of the month.'),
  }),
  z.strictObject({
    date: column.describe('Column of dates.'),
    plus: column.describe('Column of what is added to the date.'),
    unit: z.enum(['s', 'ms']).describe('What `plus` counts.'),
  }),
  z.strictObject({
    dayNumber: column.describe('Column of days, counted from `from`.'),
    from: z.iso.date().describe('The day with number 0.'),
  }),
  z.strictObject({
    fileNumber: z
      .literal(true)
      .describe(
        'Every file is a day of its own, in the order of `files`: parts that are given, such as train and test.',
      ),
    from: z.iso.date().describe('The day of the first file.'),
    plusMs: column.optional().describe('Column of milliseconds since the day began, such as the number of a line.'),
  }),
]);
export type DerivedTime = z.output<typeof derivedTimeSchema>;

/** Columns from which a time is made. */
export function partsOf(time: DerivedTime): string[] {
  if ('year' in time) return [time.year, time.month, time.day];
  if ('fileNumber' in time) return time.plusMs === undefined ? [] : [time.plusMs];
  return 'date' in time ? [time.date, time.plus] : [time.dayNumber];
}

/** SQL of the time (TIMESTAMP), NULL when a part is missing or cannot be read. */
export function derivedTimeSql(time: DerivedTime): string {
  if ('year' in time) {
    const [year, month, day] = [time.year, time.month, time.day].map(numberOf);
    return `CAST(TRY(make_date(CAST(${year} AS BIGINT), CAST(${month} AS BIGINT), CAST(${day} AS BIGINT))) AS TIMESTAMP)`;
  }
  if ('date' in time) {
    const microseconds = `${numberOf(time.plus)} * ${time.unit === 's' ? 1_000_000 : 1000}`;
    return `(TRY_CAST(${sqlName(time.date)} AS TIMESTAMP) + TRY(to_microseconds(CAST(round(${microseconds}) AS BIGINT))))`;
  }
  const milliseconds =
    'fileNumber' in time && time.plusMs !== undefined
      ? ` + TRY(to_microseconds(CAST(round(${numberOf(time.plusMs)} * 1000) AS BIGINT)))`
      : '';
  const days = 'fileNumber' in time ? FILE_NUMBER : numberOf(time.dayNumber);
  return `(CAST(${sqlText(time.from)} AS TIMESTAMP) + TRY(to_days(CAST(${days} AS INTEGER)))${milliseconds})`;
}

function numberOf(name: string): string {
  return `TRY_CAST(${sqlName(name)} AS DOUBLE)`;
}
