import { ContainerModule } from 'inversify';
import { createTrainer } from '../services/trainer.ts';
import { TOKENS } from '../tokens.ts';

/** What joins the lists: the trainer makes contenders from names. */
export const trainingModule = new ContainerModule(({ bind }) => {
  bind(TOKENS.trainer)
    .toDynamicValue((context) =>
      createTrainer(context.get(TOKENS.models), context.get(TOKENS.losses), context.get(TOKENS.objectives)),
    )
    .inSingletonScope();
});
