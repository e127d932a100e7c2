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
  takeSessions,
  type WindowedDataset,
} from '@nimue/data';
import { deriveSeed, mix32 } from '@nimue/ops';
import { encodeCounted, weightColumnOf } from './encode-counted.ts';
import type { TargetLabels } from './target-labels.ts';

/** What a step of the plan trains on. Dispose it. */
export interface TrainSessions {
  readonly sessions: EncodedSessions | SpilledSessions;
  /** Replayed ones included. */
  readonly numSessions: number;
  readonly numEvents: number;
  /** Of them, sessions of older windows that are trained on again. */
  readonly numReplayed: number;
  /** Items that the vocabulary learned from them. */
  readonly numNewItems: number;
  /** The windows of the step again, one at a time, with dense ids and without labels; nothing replayed. */
  encodedWindows(): AsyncGenerator<EncodedSessions>;
  dispose(): void;
}

/** Sessions of older windows that are trained on again. */
export interface Replay {
  readonly windows: readonly number[];
  /** Probability of each session. */
  readonly share: number;
  /** Another seed draws other sessions. */
  readonly seed: number;
}

/**
 * Reads the train windows of a step and lets the vocabulary and the features learn from them. More events than `maxEventsInMemory` go
 * to a temporary file, window by window; training sees the same batches. With `labels`, what heads are taught goes along. What is
 * replayed comes before them; nothing is learned from it anew but by the model's weights.
 */
export async function readTrainSessions(
  dataset: WindowedDataset,
  windows: readonly number[],
  vocabulary: ItemVocabulary,
  maxEventsInMemory: number,
  { pipeline, labels }: { readonly pipeline?: FeaturePipeline; readonly labels?: TargetLabels } = {},
  replay: Replay = { windows: [], share: 0, seed: 0 },
): Promise<TrainSessions> {
  const eventsOf = (some: readonly number[]) =>
    some.reduce((sum, window) => sum + dataset.windows[window].numEvents, 0);
  const numExpected = eventsOf(windows) + replay.share * eventsOf(replay.windows);
  const { texts } = dataset;
  const encode = (part: Sessions) => encodeCounted(part, vocabulary, dataset, pipeline);
  const encodeLabelled = (part: Sessions) => {
    const taught = { ...labels?.columnsOf(part, texts), ...weightColumnOf(part) };
    const features = { ...pipeline?.transform(part, dataset), ...taught };
    return encodeSessions(part, vocabulary, {
      unknown: 'skip',
      features: pipeline || Object.keys(taught).length > 0 ? features : undefined,
    });
  };
  const firstNew = vocabulary.size;
  if (numExpected <= maxEventsInMemory) {
    const parts = await Promise.all(windows.map((window) => dataset.read(window, 'train')));
    for (const part of parts) vocabulary.grow(part);
    pipeline?.fit(parts, dataset);
    for (const part of parts) labels?.fit(part, texts);
    labels?.finishStep();
    const replayed: Sessions[] = [];
    for (const window of replay.windows) replayed.push(await readReplayed(dataset, window, replay));
    const all = [...replayed, ...parts];
    const train = concatSessions(all.length > 0 ? all : [emptySessions()]);
    return {
      sessions: encodeLabelled(train),
      numSessions: countSessions(train),
      numEvents: train.itemCodes.length,
      numReplayed: replayed.reduce((sum, part) => sum + countSessions(part), 0),
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
    if (labels) {
      for (const window of windows) labels.fit(await dataset.read(window, 'train'), texts);
      labels.finishStep();
    }
    let [numEvents, numReplayed] = [0, 0];
    for (const window of replay.windows) {
      const part = await readReplayed(dataset, window, replay);
      spilled.add(encodeLabelled(part));
      numEvents += part.itemCodes.length;
      numReplayed += countSessions(part);
    }
    for (const window of windows) {
      const part = await dataset.read(window, 'train');
      vocabulary.grow(part);
      spilled.add(encodeLabelled(part));
      numEvents += part.itemCodes.length;
    }
    return {
      sessions: spilled,
      numSessions: spilled.offsets.length - 1,
      numEvents,
      numReplayed,
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

/** A share of the sessions of an older window; which ones depends on the seed and their place in the window. */
async function readReplayed(
  dataset: WindowedDataset,
  window: number,
  { share, seed }: Omit<Replay, 'windows'>,
): Promise<Sessions> {
  const sessions = await dataset.read(window, 'train');
  const own = deriveSeed(seed, window);
  const drawn: number[] = [];
  for (let s = 0; s < countSessions(sessions); s++) if (mix32(own ^ mix32(s + 1)) / 2 ** 32 < share) drawn.push(s);
  return takeSessions(sessions, drawn);
}
