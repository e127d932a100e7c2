import { openStore } from '@nimue/executor';
import { ContainerModule } from 'inversify';
import { chooseBackend } from '../backends/choose-backend.ts';
import { createFileArtifactStore } from '../services/artifact-store.ts';
import { createSystemClock } from '../services/clock.ts';
import { createExecutor } from '../services/executors.ts';
import { createLogger } from '../services/logger.ts';
import { TOKENS } from '../tokens.ts';

/** What touches the machine: time, terminal, disk, processor. */
export const platformModule = new ContainerModule(({ bind }) => {
  bind(TOKENS.clock).toDynamicValue(createSystemClock).inSingletonScope();
  bind(TOKENS.logger)
    .toDynamicValue(() => createLogger(process.stdout, process.stderr))
    .inSingletonScope();
  bind(TOKENS.artifacts).toDynamicValue(createFileArtifactStore).inSingletonScope();
  bind(TOKENS.createExecutor).toConstantValue(createExecutor);
  bind(TOKENS.openStore).toConstantValue(openStore);
  bind(TOKENS.chooseBackend).toConstantValue((choice) => chooseBackend(choice));
});
