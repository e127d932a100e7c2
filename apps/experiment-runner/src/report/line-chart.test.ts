import { describe, expect, test } from '@jest/globals';
import { renderLineChart } from './line-chart.ts';

describe('renderLineChart', () => {
  const chart = renderLineChart({
    title: 'ndcg@20 & more',
    labels: ['a', 'b', 'c'],
    series: [
      { name: 'low', values: [0, 0.25, 0.5] },
      { name: '<b>', values: [0.5, 0.5, 0.5] },
    ],
  });

  test('places every point between the axes', () => {
    // 720 × 300 with margins 64, 12, 36, 12: x from 64 to 708, y from 264 (0) to 12 (the top, 0.5).
    expect([...chart.matchAll(/points="([^"]*)"/g)].map(([, points]) => points)).toEqual([
      '64.0,264.0 386.0,138.0 708.0,12.0',
      '64.0,12.0 386.0,12.0 708.0,12.0',
    ]);
  });

  test('escapes names and tells values', () => {
    expect(chart).toContain('aria-label="ndcg@20 &amp; more"');
    expect(chart).toContain('<title>&lt;b&gt;, c: .5000</title>');
    expect(chart).not.toContain('<b>');
  });

  test('one window and all zeros are drawn too', () => {
    expect(renderLineChart({ title: 't', labels: ['a'], series: [{ name: 'x', values: [0] }] })).toContain(
      'points="386.0,264.0"',
    );
  });

  test('more lines than colours are told apart by their dashes', () => {
    const series = Array.from({ length: 18 }, (_, s) => ({ name: `m${s}`, values: [s] }));
    const many = renderLineChart({ title: 't', labels: ['a'], series });
    const looks = [...many.matchAll(/<polyline class="([^"]*)"/g)].map(([, look]) => look);
    expect(new Set(looks).size).toBe(18);
    expect([looks[0], looks[7], looks[8], looks[17]]).toEqual(['c0', 'c7', 'c0 d1', 'c1 d2']);
  });

  test('a long series has few labels', () => {
    const labels = Array.from({ length: 48 }, (_, hour) => `h${hour}`);
    const long = renderLineChart({ title: 't', labels, series: [{ name: 'x', values: labels.map(() => 1) }] });
    expect(long.match(/>h\d+<\/text>/g)).toHaveLength(6);
  });
});
