import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeModelFolder } from '@nimue/recommender';
import type { TrainedModel } from '@nimue/trainer';

/** A model of the run as its last window left it. */
export interface SavedModel {
  readonly label: string;
  readonly seed: number;
  /** Its model folder. */
  readonly folder: string;
}

/** Where a run keeps its models: `<run>/models/<label>-seed<seed>`. */
export function modelFolderOf(run: string, label: string, seed: number): string {
  return join(run, 'models', `${label.replace(/[^A-Za-z0-9._-]+/g, '-')}-seed${seed}`);
}

/** Writes a model folder; one that a resumed run wrote before is made anew. */
export async function saveModel(
  run: string,
  trained: TrainedModel,
  model: { readonly name: string; readonly config: unknown },
  titles: ReadonlyMap<string, string>,
): Promise<SavedModel> {
  const { label, seed } = trained;
  const folder = modelFolderOf(run, label, seed);
  await mkdir(join(run, 'models'), { recursive: true });
  const former = `${folder}.former`;
  if (existsSync(folder)) {
    await rm(former, { recursive: true, force: true });
    await rename(folder, former);
  }
  const known = trained.vocabulary.toJSON().itemCodes.map((code) => trained.rawItemId(code));
  const own = known.flatMap((id) => (titles.has(id) ? [[id, titles.get(id) as string]] : []));
  await writeModelFolder(folder, trained, { model, ...(own.length > 0 && { titles: Object.fromEntries(own) }) });
  await rm(former, { recursive: true, force: true });
  return { label, seed, folder };
}
