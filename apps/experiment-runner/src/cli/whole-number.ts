import { InputError } from '../input-error.ts';

/** @throws InputError when the text of an option is no whole number of at least `least` */
export function wholeNumber(option: string, text: string, least: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least) return value;
  throw new InputError(`${option}: expected a whole number of at least ${least}, got '${text}'`);
}
