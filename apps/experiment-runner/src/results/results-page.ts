import { formatCount, formatMetric, formatSummary } from '../report/format.ts';
import { markdownTable } from '../report/markdown-report.ts';
import type { ResultRow } from './result-row.ts';
import type { ResultsDefinition } from './results-definition.ts';

/**
 * A table of our figures beside the published ones, with what every figure needs to be checked: seeds, seconds, memory,
 * hardware, commit, checksum of the data, experiment file and command.
 */
export function renderResults(definition: ResultsDefinition, rows: readonly ResultRow[]): string {
  const { title, protocol, experiments, metrics, published, account } = definition;
  const [first] = metrics;
  const value = (row: ResultRow) => row.metrics[first]?.mean ?? Number.NEGATIVE_INFINITY;
  const ordered = [...rows].sort((a, b) => value(b) - value(a));
  const own = ordered.map((row) => {
    const peer = published.find(({ model }) => model === row.model);
    return [
      peer?.as ? `${row.model} (${peer.as})` : row.model,
      ...metrics.flatMap((name) => [ours(row, name), peer ? difference(row, name, peer.values[name]) : '']),
      String(row.numWindows ?? ''),
      String(row.numSeeds ?? ''),
      row.trainSeconds.toFixed(0),
      row.evaluateSeconds?.toFixed(0) ?? '',
      row.memoryBytes ? formatCount(row.memoryBytes / 2 ** 20) : '',
    ];
  });
  const missing = published.filter(({ model }) => !rows.some((row) => row.model === model));
  const theirs = missing.map(({ model, as, values }) => [
    as ? `${model} (${as})` : model,
    ...metrics.flatMap((name) => ['not run', values[name] === undefined ? '' : formatMetric(values[name])]),
    '',
    '',
    '',
    '',
    '',
  ]);
  const head = [
    'model',
    ...metrics.flatMap((name) => [name, 'published']),
    'windows',
    'seeds',
    'train s',
    'evaluate s',
    'memory MiB',
  ];
  const sections = [
    `# ${title}`,
    protocol,
    markdownTable({ head, rows: [...own, ...theirs] }),
    'Mean ± standard error over windows, each averaged over its seeds first; of a single window over its seeds (`–` where there is one of both). Behind a published figure stands what ours has more or less.',
    ...(published.length > 0
      ? ['## Sources', published.map(({ model, as, source }) => `- ${as ?? model}: ${source}`).join('\n')]
      : []),
    '## Runs',
    markdownTable({
      head: ['model', 'experiment', 'finished run', 'commit', 'data', 'machine'],
      rows: ordered.map(({ model, experiment, startedAt, commit, isModified, dataChecksum, machine }) => [
        model,
        experiment,
        startedAt.slice(0, 10),
        commit ? commit.slice(0, 10) + (isModified ? ' + changes' : '') : '',
        dataChecksum.replace(/^sha256:/, '').slice(0, 16),
        machine,
      ]),
    }),
    '## To run it',
    experiments
      .map(({ name, file, command }) => `- ${name} ([${file}](../experiments/${file})): \`${command}\``)
      .join('\n'),
    ...(account.trim() ? ['## Where we fall short, and what was tried', account.trim()] : []),
  ];
  return `${sections.join('\n\n')}\n`;
}

function ours({ metrics }: ResultRow, name: string): string {
  const summary = metrics[name];
  return summary ? formatSummary({ ...summary, standardError: summary.standardError ?? Number.NaN }) : '';
}

/** `.3152 (+.0021)` */
function difference({ metrics }: ResultRow, name: string, published: number | undefined): string {
  if (published === undefined) return '';
  const mean = metrics[name]?.mean;
  if (mean === undefined) return formatMetric(published);
  const gap = mean - published;
  return `${formatMetric(published)} (${gap < 0 ? '−' : '+'}${formatMetric(Math.abs(gap))})`;
}
