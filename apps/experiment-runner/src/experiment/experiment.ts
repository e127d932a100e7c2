import type { BackendChoice, ContenderConfig } from '@nimue/container';
import type { DatasetConfig, EvaluationPolicy, SessionsConfig, SplitConfig, WindowsConfig } from '@nimue/data';
import type { EvaluationConfig } from '@nimue/trainer';

/** An experiment file after validation, with every default filled in. */
export interface Experiment {
  readonly name: string;
  readonly dataset: DatasetConfig;
  readonly sessions: SessionsConfig;
  readonly windows: WindowsConfig;
  /** Which windows train before the next is evaluated, or what is held out of every sequence. */
  readonly policy: EvaluationPolicy;
  readonly split: SplitConfig;
  readonly contenders: readonly ContenderConfig[];
  readonly evaluation: EvaluationConfig;
  readonly seeds: readonly number[];
  readonly backend: BackendChoice;
  /** The same as an experiment file that gives the same run. */
  readonly resolved: Readonly<Record<string, unknown>>;
}
