import type { BackendChoice, ContenderConfig } from '@nimue/container';
import type {
  DatasetConfig,
  EvaluationPolicy,
  FeatureConfig,
  SessionsConfig,
  SplitConfig,
  WindowsConfig,
} from '@nimue/data';
import type { TaskHead } from '@nimue/losses';
import type { CheckpointsConfig, EvaluationConfig } from '@nimue/trainer';
import type { ReportConfig } from '../report/report-schema.ts';
import type { SweepConfig } from '../sweep/sweep-schema.ts';

/** An experiment file after validation, with every default filled in. */
export interface Experiment {
  readonly name: string;
  readonly dataset: DatasetConfig;
  readonly sessions: SessionsConfig;
  readonly windows: WindowsConfig;
  /** Which windows train before the next is evaluated, or what is held out of every sequence. */
  readonly policy: EvaluationPolicy;
  readonly split: SplitConfig;
  /** Made of the events of every batch, fitted on train windows only. */
  readonly features: readonly FeatureConfig[];
  readonly contenders: readonly ContenderConfig[];
  /** What the losses teach models beside the ranking of items. */
  readonly heads: readonly TaskHead[];
  readonly evaluation: EvaluationConfig;
  /** How much of a run is kept to go on from. */
  readonly checkpoints: CheckpointsConfig;
  readonly seeds: readonly number[];
  readonly backend: BackendChoice;
  /** Variations, for `nimue sweep`. */
  readonly sweep?: SweepConfig;
  /** What the run keeps and shows beside its figures. */
  readonly report: ReportConfig;
  /** The same as an experiment file that gives the same run. */
  readonly resolved: Readonly<Record<string, unknown>>;
}
