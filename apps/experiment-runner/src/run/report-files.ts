import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '@nimue/container';
import type { WindowedDataset } from '@nimue/data';
import { summarizeResults, type TrainerCallback, type WindowResult } from '@nimue/trainer';
import type { Experiment } from '../experiment/experiment.ts';
import { metricRows, metricsCsv } from '../export/metric-rows.ts';
import { writeMetricsParquet } from '../export/write-parquet.ts';
import { renderHtml } from '../report/html-report.ts';
import { renderMarkdown } from '../report/markdown-report.ts';
import type { RunReport } from '../report/run-report.ts';
import { type SampleRecommendations, sampleRecommendations } from '../samples/sample-recommendations.ts';
import type { RunEnvironment } from './environment.ts';
import { recordCurves } from './record-curves.ts';
import type { RunFolder } from './run-folder.ts';
import { addToIndex } from './run-index.ts';
import { labelOfPart, type RunPlan } from './run-plan.ts';
import type { SavedModel } from './saved-models.ts';

export interface ReportFilesArgs {
  readonly experiment: Experiment;
  readonly environment: RunEnvironment;
  readonly plan: RunPlan;
  /** The whole log in its windows, for the histories of users. */
  readonly log: WindowedDataset;
  /** Raw item id → title. */
  readonly titles: ReadonlyMap<string, string>;
  /** Of the run; filled while it goes. */
  readonly models: readonly SavedModel[];
  readonly clock: Pick<Clock, 'now'>;
  readonly folder: RunFolder;
  /** Holds the index that finished runs are found by. */
  readonly runsDirectory: string;
}

/** Hears the whole run, restored windows included, and draws its report. */
export interface ReportFiles extends TrainerCallback {
  /** Writes figures, reports and a line of the index. */
  onDone(): Promise<void>;
  /** What was written. @throws before `onDone` */
  report(): RunReport;
}

/** The callback behind `metrics.csv`, `metrics.parquet`, `report.md` and `report.html`, the last of which says that the run is finished. */
export function reportFiles(args: ReportFilesArgs): ReportFiles {
  const { experiment, environment, plan, models, clock, folder, runsDirectory } = args;
  const results: WindowResult[] = [];
  const recorder = recordCurves();
  let written: RunReport | undefined;
  return {
    onEvent(event) {
      recorder.onEvent(event);
      if (event.type === 'windowDone') results.push(event.result);
    },
    async onDone() {
      // Rows, lists and lines stand in the order of the experiment file, whatever was computed first.
      const placeOf = (model: string, seed: number) =>
        plan.parts.findIndex((part) => labelOfPart(part) === model && part.seed === seed);
      results.sort((a, b) => placeOf(a.model, a.seed) - placeOf(b.model, b.seed));
      const inOrder = [...models].sort((a, b) => placeOf(a.label, a.seed) - placeOf(b.label, b.seed));
      const samples = await samplesOf(args, inOrder);
      if (!experiment.report.keepModels) await rm(join(folder.path, 'models'), { recursive: true, force: true });
      written = {
        experiment,
        environment,
        summaries: summarizeResults(results),
        results,
        references: plan.parts.flatMap((part) => (part.kind === 'reference' ? [part.reference.label] : [])),
        skippedWindows: plan.evaluation.skipped.map(({ id, reason }) => ({ id, reason })),
        curves: recorder.curves(),
        usage: recorder.usage(),
        samples,
        finishedAt: clock.now(),
      };
      const rows = metricRows(results);
      await folder.writeReport('metrics.csv', metricsCsv(rows));
      await writeMetricsParquet(join(folder.path, 'metrics.parquet'), rows);
      await folder.writeReport('report.md', renderMarkdown(written));
      await folder.writeReport('report.html', renderHtml(written));
      await addToIndex(runsDirectory, folder.path, written);
    },
    report() {
      if (!written) throw new Error('report: the run is not done');
      return written;
    },
  };
}

/** What the models of the first seed recommend. */
async function samplesOf(
  { experiment, plan, log, titles }: ReportFilesArgs,
  models: readonly SavedModel[],
): Promise<SampleRecommendations[]> {
  const { dataset, evaluation } = plan;
  const { evaluateWindow } = evaluation.steps[evaluation.steps.length - 1];
  const first = models.filter(({ seed }) => seed === experiment.seeds[0]);
  return sampleRecommendations({ experiment, log, dataset, evaluateWindow, models: first, titles });
}
