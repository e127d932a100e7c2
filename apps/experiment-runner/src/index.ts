export { doctorCommand } from './cli/doctor-command.ts';
export type { Experiment } from './experiment/experiment.ts';
export { type LoadExperimentOptions, loadExperiment, parseExperiment } from './experiment/load-experiment.ts';
export { ExperimentFileError, type Problem } from './experiment/problem.ts';
export { parseSetting, type Setting } from './experiment/setting.ts';
export { InputError } from './input-error.ts';
export type { RunReport } from './report/run-report.ts';
export { type RunExperimentOptions, type RunOutcome, runExperiment } from './run/run-experiment.ts';
