import { expect, test } from '@jest/globals';
import { createLogger } from './logger.ts';

test('information goes out, warnings go to errors, one line each', () => {
  const out: string[] = [];
  const err: string[] = [];
  const logger = createLogger({ write: (text) => out.push(text) }, { write: (text) => err.push(text) });
  logger.info('one');
  logger.warn('two');
  expect(out).toEqual(['one\n']);
  expect(err).toEqual(['warning: two\n']);
});
