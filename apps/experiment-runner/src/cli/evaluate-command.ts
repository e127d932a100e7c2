import { join } from 'node:path';
import { createLogger, createNimueContainer, servicesOf } from '@nimue/container';
import { evaluateRun } from '../evaluate/evaluate-run.ts';
import { loadExperiment } from '../experiment/load-experiment.ts';
import { parseSetting } from '../experiment/setting.ts';
import { beyondAccuracyTable, headlineTable, spreadNote } from '../report/headline.ts';
import { sliceTables } from '../report/slice-tables.ts';
import { terminalTable } from '../report/terminal-report.ts';
import { watchInterrupt } from './interrupt.ts';

export interface EvaluateCommandOptions {
  readonly set: readonly string[];
  readonly model: readonly string[];
  readonly prepared: string;
  readonly json?: boolean;
}

/** `nimue evaluate <run>` */
export async function evaluateCommand(run: string, options: EvaluateCommandOptions): Promise<void> {
  const terminal = options.json ? process.stderr : process.stdout;
  const logger = createLogger(terminal, process.stderr);
  const services = servicesOf(createNimueContainer({ logger }));
  const { models, losses, objectives } = services;
  const settings = options.set.map(parseSetting);
  const experiment = await loadExperiment(join(run, 'experiment.yaml'), { models, losses, objectives, settings });
  const interrupt = watchInterrupt(() => process.stderr.write('\nstopping\n'));
  try {
    const { backend, ...evaluated } = await evaluateRun(run, experiment, services, {
      models: options.model,
      preparedDirectory: options.prepared,
      signal: interrupt.signal,
    });
    const { summaries, results, references } = evaluated;
    if (options.json) {
      const windows = results.map(({ targetValues: _, ...result }) => result);
      process.stdout.write(`${JSON.stringify({ run, models: summaries, windows }, null, 2)}\n`);
      return;
    }
    const report = { experiment, summaries, results, references };
    logger.info(`\n${terminalTable(headlineTable(report))}`);
    const beyond = beyondAccuracyTable(report);
    if (beyond) logger.info(terminalTable(beyond));
    for (const { title, ...table } of sliceTables(report)) logger.info(`${title}\n${terminalTable(table)}`);
    logger.info(spreadNote(report));
    logger.info(`backend: ${backend.name} (${backend.description})`);
  } finally {
    interrupt.stop();
  }
}
