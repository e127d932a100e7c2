import { documentedExamples, runExample } from '@nimue/testing';
import * as scope from './index.ts';

test.each(documentedExamples(new URL('.', import.meta.url)).map(({ name, code }) => [name, code]))(
  '%s',
  async (_name, code) => {
    expect(await runExample(code, { ...scope })).toBeGreaterThan(0);
  },
);
