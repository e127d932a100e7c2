import { CarriedStates } from '@nimue/models';
import type { Best } from '../best-weights.ts';
import type { StoppingState } from '../early-stopping.ts';
import type { FitProgress } from '../fit-progress.ts';
import type { Snapshot } from '../snapshot.ts';
import type { WindowResult } from '../trainer-events.ts';
import { CheckpointError } from './checkpoint-file.ts';
import type { Safetensors, StoredTensor } from './safetensors.ts';

/** What a run must have in common with the checkpoint that it goes on from. */
export type RunIdentity = Readonly<
  Record<'model' | 'config' | 'seed' | 'training' | 'plan' | 'evaluation' | 'data', string>
>;

/** A model after a window or in the midst of one, and all that came out so far. */
export interface RunState {
  /** 0-based step of the plan. */
  readonly windowIndex: number;
  /** Seed of that window, which everything random in it is drawn from. */
  readonly windowSeed: number;
  /** Where the training of the window stands; absent when it is done and evaluated. */
  readonly progress?: FitProgress;
  /** Spent on the training of that window so far. */
  readonly trainSeconds: number;
  /** Raw item code of every item, id after id. */
  readonly itemCodes: Int32Array;
  /** `FeaturePipeline.toJSON`; null without features. */
  readonly features: unknown;
  /** Shapes of the weights by name; none for models that count. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  readonly snapshot: Snapshot;
  /** Best moments of the window so far, by metric. */
  readonly best: ReadonlyMap<string, Best>;
  readonly stopping: StoppingState;
  readonly results: readonly WindowResult[];
}

const FORMAT = 'nimue run 3';
const NO_SNAPSHOT: Snapshot = { weights: new Map(), optimizer: new Map(), optimizerStep: 0, average: new Map() };
const PARTS = ['weights', 'optimizer', 'average'] as const;

/**
 * The arrays and texts of a checkpoint: `weights/<parameter>`, `optimizer/<parameter>/<state>`, `average/<parameter>`,
 * `best/<metric>/…`, `carried/<lane>/<layer>`, `vocabulary` (raw item codes), `features` and `results` (JSON as bytes), and in the
 * metadata position, schedule, random state, configuration and the data's checksum.
 */
export function encodeRunState(state: RunState, identity: RunIdentity): Safetensors {
  const { windowIndex, windowSeed, progress, itemCodes, features, shapes, snapshot, best, stopping } = state;
  const tensors = new Map<string, StoredTensor>([['vocabulary', vector(itemCodes)]]);
  const addSnapshot = (prefix: string, own: Snapshot) => {
    for (const part of PARTS) {
      for (const [name, values] of own[part]) {
        const shape = (part === 'optimizer' ? undefined : shapes.get(name)) ?? [values.length];
        tensors.set(`${prefix}${part}/${name}`, { shape, values });
      }
    }
  };
  addSnapshot('', snapshot);
  const bests: Record<string, { value: number; epoch: number; optimizerStep: number }> = {};
  for (const [metric, own] of best) {
    addSnapshot(`best/${metric}/`, own.snapshot);
    bests[metric] = { value: own.value, epoch: own.epoch, optimizerStep: own.snapshot.optimizerStep };
  }
  for (const [key, values] of progress?.carried.read() ?? []) tensors.set(`carried/${key}`, vector(values));
  // Times are told apart: all else is the same bit for bit whenever and however often a run was stopped.
  const seconds = state.results.map(({ trainSeconds, evaluateSeconds }) => [trainSeconds, evaluateSeconds]);
  const results = state.results.map(({ targetValues, lists, trainSeconds, evaluateSeconds, ...result }, i) => {
    if (lists) {
      const shape = [lists.itemIds.length / lists.length, lists.length];
      tensors.set(`lists/${i}`, { shape, values: lists.itemIds });
    }
    for (const [metric, values] of Object.entries(targetValues ?? {})) {
      tensors.set(`targets/${i}/${metric}`, vector(values));
    }
    return result;
  });
  tensors.set('results', jsonBytes(results));
  if (features !== null) tensors.set('features', jsonBytes(features));
  const { carried, plateau, numDrawn, ...position } = progress ?? {};
  return {
    tensors,
    metadata: {
      format: FORMAT,
      ...identity,
      windowIndex: String(windowIndex),
      optimizerStep: String(snapshot.optimizerStep),
      /** Empty when the window is done. */
      position: progress ? JSON.stringify(position) : '',
      schedule: JSON.stringify({ plateau, stopping }),
      random: JSON.stringify({ seed: Number(identity.seed), windowSeed, numDrawn }),
      best: JSON.stringify(bests),
      seconds: JSON.stringify({ results: seconds, window: state.trainSeconds }),
    },
  };
}

/** @throws CheckpointError saying why the content is not that of a checkpoint of this run; the caller names the file */
export function decodeRunState({ tensors, metadata }: Safetensors, identity: RunIdentity): RunState {
  if (metadata.format !== FORMAT) throw new CheckpointError(`its format is '${metadata.format}', expected '${FORMAT}'`);
  for (const [key, expected] of Object.entries(identity)) {
    if (metadata[key] === expected) continue;
    throw new CheckpointError(`it is of another run: its ${key} is ${metadata[key]}, expected ${expected}`);
  }
  const under = (prefix: string) =>
    [...tensors].flatMap(([name, tensor]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), tensor] as const] : [],
    );
  const floats = (prefix: string) =>
    new Map(under(prefix).map(([name, { values }]) => [name, Float32Array.from(values)] as const));
  const snapshotAt = (prefix: string, optimizerStep: number): Snapshot => ({
    weights: floats(`${prefix}weights/`),
    optimizer: floats(`${prefix}optimizer/`),
    average: floats(`${prefix}average/`),
    optimizerStep,
  });
  const seconds = JSON.parse(metadata.seconds) as { results: [number, number][]; window: number };
  const results = (parsedBytes(tensors.get('results')) as WindowResult[]).map((stored, i): WindowResult => {
    const [trainSeconds, evaluateSeconds] = seconds.results[i];
    const result = { ...stored, trainSeconds, evaluateSeconds };
    const values = under(`targets/${i}/`).map(([metric, tensor]) => [metric, Float64Array.from(tensor.values)]);
    const lists = tensors.get(`lists/${i}`);
    return {
      ...result,
      ...(values.length > 0 && { targetValues: Object.fromEntries(values) }),
      ...(lists && { lists: { itemIds: Int32Array.from(lists.values), length: lists.shape[1] } }),
    };
  });
  const { plateau, stopping } = JSON.parse(metadata.schedule);
  const { windowSeed, numDrawn } = JSON.parse(metadata.random);
  const bests = JSON.parse(metadata.best) as Record<string, { value: number; epoch: number; optimizerStep: number }>;
  const carried = new CarriedStates();
  carried.write(floats('carried/'));
  const weights = under('weights/');
  const features = tensors.get('features');
  return {
    windowIndex: Number(metadata.windowIndex),
    windowSeed,
    trainSeconds: seconds.window,
    ...(metadata.position && {
      progress: { ...(JSON.parse(metadata.position) as FitProgress), plateau, numDrawn, carried },
    }),
    itemCodes: Int32Array.from(tensors.get('vocabulary')?.values ?? []),
    features: features ? parsedBytes(features) : null,
    shapes: new Map(weights.map(([name, { shape }]) => [name, shape])),
    snapshot: weights.length > 0 ? snapshotAt('', Number(metadata.optimizerStep)) : NO_SNAPSHOT,
    best: new Map(
      Object.entries(bests).map(([metric, { value, epoch, optimizerStep }]) => [
        metric,
        { value, epoch, snapshot: snapshotAt(`best/${metric}/`, optimizerStep) },
      ]),
    ),
    stopping,
    results,
  };
}

function vector(values: StoredTensor['values']): StoredTensor {
  return { shape: [values.length], values };
}

/** As bytes: Python's reader takes no header above 100 MB. */
function jsonBytes(value: unknown): StoredTensor {
  return vector(new TextEncoder().encode(JSON.stringify(value)));
}

function parsedBytes(tensor: StoredTensor | undefined): unknown {
  if (!tensor) throw new CheckpointError('it has no results');
  return JSON.parse(new TextDecoder().decode(tensor.values as Uint8Array));
}
