import { type DatasetSpec, datasets, type ObjectiveSpec, objectives } from '@nimue/data';
import { losses } from '@nimue/losses';
import { models } from '@nimue/models';
import { ContainerModule } from 'inversify';
import { createDatasetService } from '../services/dataset-service.ts';
import { toSpecs } from '../services/specs.ts';
import { TOKENS } from '../tokens.ts';

/** What an experiment file can name: the plural files of the packages. */
export const catalogueModule = new ContainerModule(({ bind }) => {
  bind(TOKENS.models).toConstantValue(toSpecs(models));
  bind(TOKENS.losses).toConstantValue(toSpecs(losses));
  bind(TOKENS.objectives).toConstantValue(toSpecs<ObjectiveSpec>(objectives));
  bind(TOKENS.datasetSpecs).toConstantValue(toSpecs<DatasetSpec>(datasets));
  bind(TOKENS.datasets).toDynamicValue(createDatasetService).inSingletonScope();
});
