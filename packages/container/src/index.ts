export {
  BACKEND_NAMES,
  type BackendChoice,
  type BackendName,
  type BackendProbe,
  type ChosenBackend,
  explainAbsence,
  type ProbeResult,
} from './backends/backend.ts';
export {
  type BackendChooser,
  type BackendReport,
  chooseBackend,
  defaultProbes,
  probeBackends,
} from './backends/choose-backend.ts';
export { type BackendSpeed, measureBackend } from './backends/measure-backend.ts';
export { createNimueContainer, servicesOf } from './create-nimue-container.ts';
export { type ArtifactStore, createFileArtifactStore, type LineFile } from './services/artifact-store.ts';
export { type Clock, createSystemClock } from './services/clock.ts';
export {
  createDatasetService,
  type DatasetService,
  openPreparedData,
  type PreparedData,
  type PrepareRequest,
} from './services/dataset-service.ts';
export { createExecutor, type ExecutorFactory, type ExecutorRequest } from './services/executors.ts';
export { createLogger, type LineSink, type Logger } from './services/logger.ts';
export { specOf, toSpecs } from './services/specs.ts';
export { type ContenderConfig, createTrainer, type NamedConfig, type Trainer } from './services/trainer.ts';
export { type NimueServices, TOKENS } from './tokens.ts';
