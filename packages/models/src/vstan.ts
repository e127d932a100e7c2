import { z } from 'zod';
import { defineModel } from './model-spec.ts';
import { createSequenceAndTimeModel, stanOptions } from './neighbors/sequence-and-time.ts';

export const vstanSchema = z.strictObject({
  ...stanOptions,
  matchDecay: z
    .number()
    .positive()
    .nullable()
    .default(1.02)
    .describe(
      'λ in clicks: a neighbor whose newest shared item lies d clicks back in the current session counts exp(−d/λ).',
    ),
  idfWeight: z
    .number()
    .min(0)
    .nullable()
    .default(5)
    .describe('A vote for item i is multiplied by 1 + idfWeight · ln(sessions / clicks on i).'),
});

/**
 * VSTAN: STAN with V-SkNN's two ideas, a vote that fades with the place of the newest shared item and rare items weighing
 * more (Ludewig et al. 2021, "Empirical analysis of session-based recommendation algorithms", §3.1):
 * score(i) = Σ_n sim(s, n) · exp(−(n − p*)/λ) · (1 + idfWeight · idf(i)) · exp(−|p_n(i) − p_n(i*)|/λ₃).
 * `matchDecay` and `idfWeight` are session-rec's `lambda_ipw` and `lambda_idf`. Differs from session-rec as `stan` does.
 */
export const vstan = defineModel({
  kind: 'statistical',
  configSchema: vstanSchema,
  create: (config, size) => createSequenceAndTimeModel('vstan', config, size),
});
