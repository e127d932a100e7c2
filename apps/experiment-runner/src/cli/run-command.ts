import { join } from 'node:path';
import { type BackendChoice, createLogger, createNimueContainer, servicesOf } from '@nimue/container';
import { loadExperiment } from '../experiment/load-experiment.ts';
import { parseSetting } from '../experiment/setting.ts';
import { InputError } from '../input-error.ts';
import { shareOfOracle, unknownTargets } from '../report/run-report.ts';
import { renderTerminal } from '../report/terminal-report.ts';
import { createProgressTracker } from '../run/progress.ts';
import { type RunOutcome, runExperiment } from '../run/run-experiment.ts';
import { createBarView, createLineView, createPreparationView } from '../run/show-progress.ts';
import { watchInterrupt } from './interrupt.ts';

export interface RunCommandOptions {
  readonly set: readonly string[];
  readonly backend?: BackendChoice;
  readonly out: string;
  readonly prepared: string;
  readonly json?: boolean;
  /** Folder of a stopped run. */
  readonly resume?: string;
}

/** `nimue run <files>` */
export async function runCommand(files: readonly string[], options: RunCommandOptions): Promise<void> {
  const settings = options.set.map(parseSetting);
  if (options.backend) settings.push(parseSetting(`backend=${options.backend}`));
  // With --json the only thing on stdout is the result.
  const terminal = options.json ? process.stderr : process.stdout;
  const logger = createLogger(terminal, process.stderr);
  const services = servicesOf(createNimueContainer({ logger }));
  const { models, losses, objectives } = services;
  const experiment = await loadExperiment(files, { models, losses, objectives, settings });
  if (experiment.sweep)
    throw new InputError(`${files.join(', ')}: the experiment has a sweep section; use nimue sweep`);
  const interrupt = watchInterrupt(() =>
    process.stderr.write('\nstopping after this step, and saving; Ctrl-C again to stop at once\n'),
  );
  const preparation = createPreparationView(logger, terminal.isTTY ? terminal : undefined);
  try {
    const outcome = await runExperiment(experiment, services, {
      runsDirectory: options.out,
      resume: options.resume,
      preparedDirectory: options.prepared,
      signal: interrupt.signal,
      preparation,
      watch: (plan, clock) => {
        const tracker = createProgressTracker(plan, clock);
        return terminal.isTTY
          ? createBarView(tracker, logger, terminal, () => clock.elapsedMs())
          : createLineView(tracker, logger);
      },
    });
    logger.info(`\n${renderTerminal(outcome)}`);
    logger.info(`report: ${join(outcome.path, 'report.html')}`);
    logger.info(`backend: ${outcome.backend.name} (${outcome.backend.description})`);
    if (options.json) process.stdout.write(`${JSON.stringify(toJson(outcome), null, 2)}\n`);
  } finally {
    interrupt.stop();
  }
}

function toJson(outcome: RunOutcome) {
  return {
    experiment: outcome.experiment.name,
    run: outcome.path,
    report: join(outcome.path, 'report.html'),
    backend: { name: outcome.backend.name, description: outcome.backend.description },
    models: outcome.summaries.map((summary) => ({
      ...summary,
      shareOfOracle: shareOfOracle(outcome, summary),
      numEventsRead: outcome.usage.find(({ model }) => model === summary.model)?.numEventsRead ?? 0,
    })),
    skippedWindows: outcome.skippedWindows,
    unknownTargets: unknownTargets(outcome),
    memoryBytes: Math.max(0, ...outcome.usage.map(({ memoryBytes }) => memoryBytes)),
  };
}
