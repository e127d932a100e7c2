import type { DatasetSpec, ObjectiveSpec } from '@nimue/data';
import type { Store } from '@nimue/executor';
import type { LossSpec } from '@nimue/losses';
import type { ModelSpec } from '@nimue/models';
import type { ServiceIdentifier } from 'inversify';
import type { BackendChooser } from './backends/choose-backend.ts';
import type { ArtifactStore } from './services/artifact-store.ts';
import type { Clock } from './services/clock.ts';
import type { DatasetService } from './services/dataset-service.ts';
import type { ExecutorFactory } from './services/executors.ts';
import type { Logger } from './services/logger.ts';
import type { Trainer } from './services/trainer.ts';

/** Everything that the container can give out. */
export interface NimueServices {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly artifacts: ArtifactStore;
  readonly chooseBackend: BackendChooser;
  /** Many jobs: side by side here, or on other machines. */
  readonly createExecutor: ExecutorFactory;
  /** Files that machines share, by the address of a folder or a bucket. */
  readonly openStore: (address: string) => Promise<Store>;
  /** Model name in an experiment file → spec. */
  readonly models: ReadonlyMap<string, ModelSpec>;
  /** Loss name in an experiment file → spec. */
  readonly losses: ReadonlyMap<string, LossSpec>;
  /** Objective name in an experiment file → spec. */
  readonly objectives: ReadonlyMap<string, ObjectiveSpec>;
  /** Ready-made descriptions of well-known logs, by name. */
  readonly datasetSpecs: ReadonlyMap<string, DatasetSpec>;
  readonly datasets: DatasetService;
  readonly trainer: Trainer;
}

/** What to ask the container for: `container.get(TOKENS.clock)`. */
export const TOKENS: { readonly [Name in keyof NimueServices]: ServiceIdentifier<NimueServices[Name]> } = {
  clock: Symbol.for('nimue.clock'),
  logger: Symbol.for('nimue.logger'),
  artifacts: Symbol.for('nimue.artifacts'),
  chooseBackend: Symbol.for('nimue.chooseBackend'),
  createExecutor: Symbol.for('nimue.createExecutor'),
  openStore: Symbol.for('nimue.openStore'),
  models: Symbol.for('nimue.models'),
  losses: Symbol.for('nimue.losses'),
  objectives: Symbol.for('nimue.objectives'),
  datasetSpecs: Symbol.for('nimue.datasetSpecs'),
  datasets: Symbol.for('nimue.datasets'),
  trainer: Symbol.for('nimue.trainer'),
};
