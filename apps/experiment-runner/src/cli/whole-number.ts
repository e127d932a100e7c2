import { InputError } from '../input-error.ts';

/** @throws InputError when the text of an option is no whole number from `least` to `most` */
export function wholeNumber(option: string, text: string, least: number, most = Number.POSITIVE_INFINITY): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  const range = Number.isFinite(most) ? `from ${least} to ${most}` : `of at least ${least}`;
  throw new InputError(`${option}: expected a whole number ${range}, got '${text}'`);
}
