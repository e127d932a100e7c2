import { FIRST_ITEM_ID } from '@nimue/batch';
import {
  type EncodedSessions,
  type FeaturePipeline,
  type Objective,
  type ObjectiveSpec,
  objectives,
  restoreFeaturePipeline,
} from '@nimue/data';
import { type AnyModel, type ModelSpec, models, type SessionsToCount, withoutStartingValues } from '@nimue/models';
import { decodeSafetensors, type StoredTensor } from '@nimue/trainer';
import type { z } from 'zod';
import { itemsSchema, type Manifest, manifestSchema } from './manifest.ts';
import { runSteps, type Steps } from './steps.ts';

/** Sessions that a model takes in at a time, where it can take a window in parts. */
const SESSIONS_PER_STEP = 4096;

/** What a model folder holds, ready to answer. */
export interface OpenedModel {
  readonly manifest: Manifest;
  readonly model: AnyModel;
  readonly objective: Objective;
  readonly pipeline?: FeaturePipeline;
  /** Raw ids; the item at place i has the dense id FIRST_ITEM_ID + i. */
  readonly itemIds: readonly string[];
  readonly titles?: Readonly<Record<string, string>>;
}

/** The bytes of a file of a model folder, by its name. @throws when it is not there */
export type FileOfModel = (name: string) => Uint8Array;

/**
 * Opens a model from the bytes of its files, wherever they come from; nothing here needs Node.
 *
 * @param where names the model in messages
 * @param sha256Of the checksum of a file, by its name, to be compared with the manifest's; not compared when absent
 * @throws naming the model and why it cannot be used: not there, damaged, of another version, or of an unknown model
 */
export function openModel(where: string, read: FileOfModel, sha256Of?: (name: string) => string): OpenedModel {
  return runSteps(openModelInSteps(where, read, sha256Of));
}

/** `openModel` in steps. */
export function* openModelInSteps(
  where: string,
  read: FileOfModel,
  sha256Of?: (name: string) => string,
): Steps<OpenedModel> {
  const refuse = (reason: string) => new Error(`model folder ${where} cannot be used: ${reason}`);
  const parse = <Schema extends z.ZodType>(name: string, schema: Schema): z.output<Schema> => {
    let json: unknown;
    try {
      json = JSON.parse(new TextDecoder().decode(read(name)));
    } catch (error) {
      throw refuse(`${name}: ${error instanceof Error ? error.message : error}`);
    }
    const result = schema.safeParse(json);
    if (result.success) return result.data;
    const [issue] = result.error.issues;
    throw refuse(`${name}: ${issue.path.join('.') || 'it'}: ${issue.message}`);
  };
  const manifest = parse('manifest.json', manifestSchema);
  for (const [name, expected] of Object.entries(manifest.files)) {
    if (!sha256Of) break;
    let found: string;
    try {
      found = sha256Of(name);
    } catch {
      throw refuse(`${name} is not there or cannot be read`);
    }
    if (found !== expected)
      throw refuse(`${name} is not the file that the manifest was written with; copy the folder again`);
  }
  yield;
  const items = parse('items.json', itemsSchema);
  yield;
  if (items.ids.length !== manifest.numRows - FIRST_ITEM_ID) {
    throw refuse(`items.json names ${items.ids.length} items, the model has ${manifest.numRows - FIRST_ITEM_ID}`);
  }
  // Its bytes are those that the manifest was written with.
  const { tensors } = decodeSafetensors(read('weights.safetensors'));
  yield;
  const spec = new Map(Object.entries(models) as unknown as [string, ModelSpec][]).get(manifest.model.name);
  if (!spec) throw refuse(`there is no model '${manifest.model.name}'; it comes from a newer version`);
  const objectiveSpec = new Map(Object.entries(objectives) as unknown as [string, ObjectiveSpec][]).get(
    manifest.objective.name,
  );
  if (!objectiveSpec) throw refuse(`there is no objective '${manifest.objective.name}'`);
  const config = spec.configSchema.parse(manifest.model.config);
  const size = { numRows: manifest.numRows, seed: manifest.seed, features: manifest.columns };
  const shapes = new Map(under(tensors, 'weights/').map(([name, { shape }]) => [name, shape]));
  const model = withoutStartingValues(() => spec.create(config, size), shapes);
  try {
    yield* fill(model, tensors, manifest);
  } catch (error) {
    model.dispose();
    throw refuse(error instanceof Error ? error.message : String(error));
  }
  return {
    manifest,
    model,
    objective: objectiveSpec.create(objectiveSpec.configSchema.parse(manifest.objective.config)),
    ...(manifest.features !== undefined && { pipeline: restoreFeaturePipeline(manifest.features) }),
    itemIds: items.ids,
    ...(items.titles && { titles: items.titles }),
  };
}

function* fill(model: AnyModel, tensors: ReadonlyMap<string, StoredTensor>, { numCountedWindows }: Manifest): Steps {
  if (model.kind === 'neural') {
    const weights = under(tensors, 'weights/').map(([name, { values }]) => [name, floatsOf(values)] as const);
    model.parameters.write(new Map(weights));
    yield;
    const features = Object.fromEntries(under(tensors, 'itemFeatures/').map(([name, { values }]) => [name, values]));
    model.setItemFeatures?.(features as NonNullable<EncodedSessions['features']>);
    return;
  }
  for (let window = 0; window < numCountedWindows; window++) {
    const column = (name: string) => tensors.get(`window${window}/${name}`)?.values;
    const itemIds = column('itemIds');
    const offsets = column('offsets');
    const timestampsMs = column('timestampsMs');
    const eventWeights = column('eventWeights');
    if (!(itemIds instanceof Int32Array) || !(offsets instanceof Int32Array)) {
      throw new Error(`the sessions of window ${window} are not there`);
    }
    const sessions = {
      itemIds,
      offsets,
      ...(timestampsMs instanceof Float64Array && { timestampsMs }),
      ...(eventWeights instanceof Float32Array && { eventWeights }),
    };
    for (const part of model.countsInParts ? partsOf(sessions) : [sessions]) {
      model.fitWindow(part);
      yield;
    }
  }
}

/** Tensors whose names begin so, without that. */
function under(tensors: ReadonlyMap<string, StoredTensor>, prefix: string) {
  return [...tensors]
    .filter(([name]) => name.startsWith(prefix))
    .map(([name, tensor]) => [name.slice(prefix.length), tensor] as const);
}

function floatsOf(values: StoredTensor['values']): Float32Array {
  return values instanceof Float32Array ? values : Float32Array.from(values);
}

function* partsOf({ itemIds, offsets, timestampsMs, eventWeights }: SessionsToCount): Generator<SessionsToCount> {
  const numSessions = offsets.length - 1;
  for (let first = 0; first < numSessions; first += SESSIONS_PER_STEP) {
    const end = Math.min(numSessions, first + SESSIONS_PER_STEP);
    const [from, to] = [offsets[first], offsets[end]];
    yield {
      itemIds: itemIds.subarray(from, to),
      offsets: offsets.subarray(first, end + 1).map((offset) => offset - from),
      ...(timestampsMs && { timestampsMs: timestampsMs.subarray(from, to) }),
      ...(eventWeights && { eventWeights: eventWeights.subarray(from, to) }),
    };
  }
}
