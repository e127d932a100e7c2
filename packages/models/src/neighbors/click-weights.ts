import { z } from 'zod';

/** How the weight of a click falls with the clicks that came after it. */
export const clickWeightingSchema = z.enum(['same', 'div', 'linear', 'log', 'quadratic']);
export type ClickWeighting = z.infer<typeof clickWeightingSchema>;

/**
 * Weight of the click at `place` (1 … length) of the current session (session-rec's V-SkNN):
 * same 1 · div p/n · linear 1 − (n − p)/10, at least 0 · log 1/log₁₀(n − p + 1.7) · quadratic (p/n)².
 *
 * Differs from session-rec: its linear weights turn negative beyond ten clicks; ours stay at 0.
 */
export function placeWeight(weighting: ClickWeighting, place: number, length: number): number {
  switch (weighting) {
    case 'same':
      return 1;
    case 'div':
      return place / length;
    case 'linear':
      return Math.max(0, 1 - 0.1 * (length - place));
    case 'log':
      return 1 / Math.log10(length - place + 1.7);
    case 'quadratic':
      return (place / length) ** 2;
  }
}

/**
 * Weight of something that happened `step` clicks ago, counted from 1:
 * same 1 · div 1/i · linear 1 − i/10, at least 0 · log 1/log₁₀(i + 1.7) · quadratic 1/i².
 */
export function stepWeight(weighting: ClickWeighting, step: number): number {
  switch (weighting) {
    case 'same':
      return 1;
    case 'div':
      return 1 / step;
    case 'linear':
      return Math.max(0, 1 - 0.1 * step);
    case 'log':
      return 1 / Math.log10(step + 1.7);
    case 'quadratic':
      return 1 / (step * step);
  }
}
