import {
  concatSessions,
  countSessions,
  type EncodedSessions,
  emptySessions,
  encodeSessions,
  type FeaturePipeline,
  type ItemVocabulary,
  type Sessions,
  SpilledSessions,
  type WindowedDataset,
} from '@nimue/data';

/** What a step of the plan trains on. Dispose it. */
export interface TrainSessions {
  readonly sessions: EncodedSessions | SpilledSessions;
  readonly numSessions: number;
  readonly numEvents: number;
  /** Items that the vocabulary learned from them. */
  readonly numNewItems: number;
  /** The windows again, one at a time, with dense ids. */
  encodedWindows(): AsyncGenerator<EncodedSessions>;
  dispose(): void;
}

/**
 * Reads the train windows of a step and lets the vocabulary and the features learn from them. More events than `maxEventsInMemory` go
 * to a temporary file, window by window; training sees the same batches.
 */
export async function readTrainSessions(
  dataset: WindowedDataset,
  windows: readonly number[],
  vocabulary: ItemVocabulary,
  maxEventsInMemory: number,
  pipeline?: FeaturePipeline,
): Promise<TrainSessions> {
  const numExpected = windows.reduce((sum, window) => sum + dataset.windows[window].numEvents, 0);
  const encode = (part: Sessions) =>
    encodeSessions(part, vocabulary, { unknown: 'skip', features: pipeline?.transform(part, dataset) });
  const firstNew = vocabulary.size;
  if (numExpected <= maxEventsInMemory) {
    const parts = await Promise.all(windows.map((window) => dataset.read(window, 'train')));
    const train = concatSessions(parts.length > 0 ? parts : [emptySessions()]);
    vocabulary.grow(train);
    pipeline?.fit(parts, dataset);
    return {
      sessions: encode(train),
      numSessions: countSessions(train),
      numEvents: train.itemCodes.length,
      numNewItems: vocabulary.size - firstNew,
      async *encodedWindows() {
        for (const part of parts) yield encode(part);
      },
      dispose() {},
    };
  }
  const spilled = new SpilledSessions();
  try {
    if (pipeline) {
      // Features have seen all train windows before they transform the first.
      for (const window of windows) pipeline.addWindow(await dataset.read(window, 'train'), dataset);
      pipeline.finishStep();
    }
    let numEvents = 0;
    for (const window of windows) {
      const part = await dataset.read(window, 'train');
      vocabulary.grow(part);
      spilled.add(encode(part));
      numEvents += part.itemCodes.length;
    }
    return {
      sessions: spilled,
      numSessions: spilled.offsets.length - 1,
      numEvents,
      numNewItems: vocabulary.size - firstNew,
      async *encodedWindows() {
        for (const window of windows) yield encode(await dataset.read(window, 'train'));
      },
      dispose: () => spilled.dispose(),
    };
  } catch (error) {
    spilled.dispose();
    throw error;
  }
}
