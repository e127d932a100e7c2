import { expect, test } from '@jest/globals';
import { formatCount, formatDuration, formatMetric, formatShare, formatSummary } from './format.ts';

test('figures are written the same way everywhere', () => {
  expect([0, 0.43124, 1, Number.NaN].map(formatMetric)).toEqual(['.0000', '.4312', '1.0000', '–']);
  expect(formatSummary({ mean: 0.5, standardError: 0.0123, count: 3 })).toBe('.5000 ± .0123');
  expect(formatSummary({ mean: 0.5, standardError: Number.NaN, count: 1 })).toBe('.5000 ± –');
  expect([0, 999.6, 1234567].map(formatCount)).toEqual(['0', '1,000', '1,234,567']);
  expect([0, 42.4, 185, 3723].map(formatDuration)).toEqual(['0:00', '0:42', '3:05', '1:02:03']);
  expect([0.9284, Number.NaN].map(formatShare)).toEqual(['92.8 %', '–']);
});
