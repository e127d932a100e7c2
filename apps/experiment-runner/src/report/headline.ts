import { formatCount, formatShare, formatSummary } from './format.ts';
import { type RunReport, shareOfOracle, unknownTargets } from './run-report.ts';

/** A table as text cells. */
export interface TextTable {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Model × metric, mean ± standard error over the windows. */
export function headlineTable(report: RunReport): TextTable {
  const { metrics } = report.experiment.evaluation;
  const hasOracle = report.summaries.some((summary) => shareOfOracle(report, summary) !== undefined);
  return {
    head: ['model', ...metrics, ...(hasOracle ? [`${metrics[0]} of oracle`] : []), 'train s', 'evaluate s'],
    rows: report.summaries.map((summary) => [
      summary.model,
      ...metrics.map((metric) => formatSummary(summary.metrics[metric])),
      ...(hasOracle ? [formatShare(shareOfOracle(report, summary) ?? Number.NaN)] : []),
      summary.trainSeconds.toFixed(1),
      summary.evaluateSeconds.toFixed(1),
    ]),
  };
}

/** What the ± stands for. */
export function spreadNote({ summaries }: RunReport): string {
  const [{ numWindows, numSeeds }] = summaries;
  const seeds = numSeeds > 1 ? `, each window averaged over ${numSeeds} seeds` : '';
  return `mean ± standard error over ${numWindows} window${numWindows === 1 ? '' : 's'}${seeds}`;
}

/** `12 of 5,250 targets were items that no train window had shown; they count as misses` */
export function unknownTargetsNote(report: RunReport): string {
  const { numUnknown, numTargets } = unknownTargets(report);
  return (
    `${formatCount(numUnknown)} of ${formatCount(numTargets)} targets were items that no train window had shown; ` +
    'they count as misses'
  );
}

/** How the figures came about, in the words of the field. */
export function protocolNotes(report: RunReport): readonly string[] {
  const { split } = report.experiment.evaluation;
  return [
    `Target: the last item of each session of the ${split} half of a window, with the items before it visible.`,
    'Ranking scope: the whole catalogue known so far, never a sample of it.',
    'Ties count against the model.',
    `Unknown targets are misses: ${unknownTargetsNote(report)}.`,
    'Items that the session has seen already are not filtered out.',
    'A model learns from windows that end before the evaluated one begins; its vocabulary too.',
  ];
}
