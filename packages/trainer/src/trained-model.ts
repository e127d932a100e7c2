import type { EncodedSessions, FeaturePipeline, ItemVocabulary, Objective, WindowedDataset } from '@nimue/data';
import type { AnyModel } from '@nimue/models';
import { encodeCounted } from './encode-counted.ts';

/** A model at the end of its windows, with all that it needs to answer. It is the trainer's: use it before it goes on. */
export interface TrainedModel {
  readonly label: string;
  readonly seed: number;
  readonly model: AnyModel;
  readonly objective: Objective;
  readonly vocabulary: ItemVocabulary;
  readonly pipeline?: FeaturePipeline;
  /** Of every item, row = item id; for a model that describes its candidates by them. */
  readonly itemFeatures?: EncodedSessions['features'];
  /** Sessions are cut to this many visible events; the model's own limit applies too. */
  readonly maxLength?: number;
  /** Ids of the windows that it learned from, oldest first. */
  readonly trainWindows: readonly string[];
  /** The raw id of an item code of the vocabulary. */
  rawItemId(code: number): string;
  /** The windows again, one at a time: what a model that counts is made from. */
  countedWindows(): AsyncGenerator<EncodedSessions>;
}

/** @param windows that the model learned from since it was made, in order */
export function trainedModelOf(
  parts: Omit<TrainedModel, 'trainWindows' | 'rawItemId' | 'countedWindows'>,
  dataset: WindowedDataset,
  windows: readonly number[],
): TrainedModel {
  const { vocabulary, pipeline } = parts;
  return {
    ...parts,
    trainWindows: windows.map((window) => dataset.windows[window].id),
    rawItemId: (code) => dataset.rawItemId(code),
    async *countedWindows() {
      for (const window of windows) {
        yield encodeCounted(await dataset.read(window, 'train'), vocabulary, dataset, pipeline);
      }
    },
  };
}
