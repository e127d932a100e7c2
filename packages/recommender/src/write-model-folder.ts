import { createHash } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isHeadWeight } from '@nimue/models';
import { type StoredTensor, type TrainedModel, writeCheckpointFile } from '@nimue/trainer';
import { type Manifest, SCHEMA_VERSION } from './manifest.ts';

export interface WriteModelFolderOptions {
  /** Name and options of the model, as in an experiment file. */
  readonly model: { readonly name: string; readonly config: unknown };
  /** Raw item id → what a person calls it. */
  readonly titles?: Readonly<Record<string, string>>;
}

/**
 * Writes what a trained model needs to answer: `manifest.json`, `items.json` and `weights.safetensors`. The folder is there
 * whole or not at all: it is written under a temporary name, synced and renamed.
 *
 * @throws when the folder exists already
 */
export async function writeModelFolder(
  folder: string,
  trained: TrainedModel,
  { model, titles }: WriteModelFolderOptions,
): Promise<void> {
  if (existsSync(folder)) throw new Error(`model folder ${folder}: it exists already; choose another or remove it`);
  const temporary = `${folder}.${process.pid}.tmp`;
  rmSync(temporary, { recursive: true, force: true });
  mkdirSync(temporary, { recursive: true });
  try {
    const tensors = new Map<string, StoredTensor>();
    const numCountedWindows = await addTensors(tensors, trained);
    writeCheckpointFile(join(temporary, 'weights.safetensors'), { tensors, metadata: { format: 'nimue-model' } });
    const ids = trained.vocabulary.toJSON().itemCodes.map((code) => trained.rawItemId(code));
    await writeFile(join(temporary, 'items.json'), JSON.stringify({ ids, ...(titles && { titles }) }), { flush: true });
    const sha256 = (name: string) => checksumOfFile(join(temporary, name));
    const { objective, pipeline, maxLength } = trained;
    const manifest: Manifest = {
      format: 'nimue-model',
      schemaVersion: SCHEMA_VERSION,
      label: trained.label,
      model: { name: model.name, config: model.config },
      objective: { name: objective.name, config: objective.config ?? {} },
      seed: trained.seed,
      numRows: trained.model.numRows,
      ...(maxLength !== undefined && { maxLength }),
      trainWindows: [...trained.trainWindows],
      columns: pipeline?.outputs() ?? [],
      ...(pipeline && { features: pipeline.toJSON() }),
      numCountedWindows,
      files: { 'items.json': sha256('items.json'), 'weights.safetensors': sha256('weights.safetensors') },
    };
    await writeFile(join(temporary, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`, { flush: true });
    const handle = openSync(temporary, 'r');
    fsyncSync(handle);
    closeSync(handle);
    renameSync(temporary, folder);
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    throw error;
  }
}

/** @returns number of windows of counted sessions */
async function addTensors(tensors: Map<string, StoredTensor>, trained: TrainedModel): Promise<number> {
  const { model, itemFeatures = {} } = trained;
  for (const [name, values] of Object.entries(itemFeatures)) {
    tensors.set(`itemFeatures/${name}`, { shape: [values.length], values });
  }
  if (model.kind === 'neural') {
    for (const [name, values] of model.parameters.read()) {
      // What heads have learned serves training; a recommender ranks items.
      if (isHeadWeight(name)) continue;
      tensors.set(`weights/${name}`, { shape: model.parameters.variable(name).shape, values });
    }
    return 0;
  }
  let window = 0;
  for await (const { itemIds, offsets, timestampsMs, eventWeights } of trained.countedWindows()) {
    const add = (name: string, values: StoredTensor['values']) =>
      tensors.set(`window${window}/${name}`, { shape: [values.length], values });
    add('itemIds', itemIds);
    add('offsets', offsets);
    if (timestampsMs) add('timestampsMs', timestampsMs);
    if (eventWeights) add('eventWeights', eventWeights);
    window++;
  }
  return window;
}

export function checksumOfFile(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}
