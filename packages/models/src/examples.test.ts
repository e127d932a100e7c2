import * as batch from '@nimue/batch';
import { documentedExamples, runExample } from '@nimue/testing';
import * as tf from '@tensorflow/tfjs';
import * as scope from './index.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
  (tf.backend() as { firstUse?: boolean }).firstUse = false;
});

test.each(documentedExamples(new URL('.', import.meta.url)).map(({ name, code }) => [name, code]))(
  '%s',
  async (_name, code) => {
    expect(await runExample(code, { tf, ...batch, ...scope })).toBeGreaterThan(0);
  },
);
