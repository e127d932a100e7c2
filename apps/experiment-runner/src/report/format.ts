import type { Summary } from '@nimue/metrics';

/** `.4312`; 1 is `1.0000`. */
export function formatMetric(value: number): string {
  if (!Number.isFinite(value)) return '–';
  return value.toFixed(4).replace(/^0\./, '.');
}

/** `.4312 ± .0021`; the error of a single window is unknown: `.4312 ± –`. */
export function formatSummary({ mean, standardError }: Omit<Summary, 'count'> & Partial<Summary>): string {
  return `${formatMetric(mean)} ± ${formatMetric(standardError)}`;
}

/** `12,300` */
export function formatCount(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** `0:42`, `3:05`, `1:02:03` */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const rest = `${String(Math.floor(whole / 60) % 60).padStart(whole >= 3600 ? 2 : 1, '0')}:${String(whole % 60).padStart(2, '0')}`;
  return whole >= 3600 ? `${Math.floor(whole / 3600)}:${rest}` : rest;
}

/** `93 %` */
export function formatShare(share: number): string {
  return Number.isFinite(share) ? `${(100 * share).toFixed(1)} %` : '–';
}
