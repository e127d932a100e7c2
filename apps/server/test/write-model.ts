import { createFeaturePipeline, datasetFromSessions, featuresSchema, ItemVocabulary, objectives } from '@nimue/data';
import { type ModelSpec, models } from '@nimue/models';
import { writeModelFolder } from '@nimue/recommender';

export interface WriteModelOptions {
  readonly config?: Readonly<Record<string, unknown>>;
  readonly numItems?: number;
  readonly seed?: number;
  /** Items are described by their brand: `a` for even numbers, `b` for odd ones. */
  readonly withBrands?: boolean;
}

const BRANDS = ['a', 'b'];

/** Writes a folder of an untrained model (or one that counted a few sessions) of the items `i0`, `i1`, … */
export async function writeModel(folder: string, name: string, options: WriteModelOptions = {}): Promise<void> {
  const { numItems = 20, seed = 1, withBrands = false } = options;
  const spec = (models as unknown as Record<string, ModelSpec>)[name];
  const inputs = withBrands && { inputs: { features: [{ kind: 'category', column: 'brand', role: 'item' }] } };
  const config = spec.configSchema.parse({ ...options.config, ...inputs });
  const features = withBrands ? featuresSchema.parse([{ name: 'categorify', column: 'brand', as: 'brand' }]) : [];
  const pipeline = withBrands ? await createFeaturePipeline(features) : undefined;
  const items = Array.from({ length: numItems }, (_, i) => `i${i}`);
  const dataset = datasetFromSessions([
    { items, timestampsMs: items.map((_, i) => i), columns: { brand: items.map((_, i) => BRANDS[i % 2]) } },
  ]);
  const sessions = await dataset.read(0, 'train');
  pipeline?.fit([sessions], dataset);
  const vocabulary = new ItemVocabulary();
  vocabulary.grow(sessions);
  const model = spec.create(config, { numRows: vocabulary.size, seed, features: pipeline?.outputs() ?? [] });
  const brand = Int32Array.from({ length: vocabulary.size }, (_, id) => (id < 3 ? 0 : 2 + ((id - 3) % 2)));
  const taught = model.kind === 'neural' ? objectives.causal : objectives.lastItem;
  await writeModelFolder(
    folder,
    {
      label: name,
      seed,
      model,
      objective: taught.create({}),
      vocabulary,
      ...(pipeline && { pipeline, itemFeatures: { brand } }),
      trainWindows: ['2024-01-01'],
      rawItemId: (code) => dataset.rawItemId(code),
      async *countedWindows() {
        const itemIds = Int32Array.from({ length: 4 * numItems }, (_, i) => 3 + ((i * i + (i % 3)) % numItems));
        const offsets = Int32Array.from({ length: numItems + 1 }, (_, s) => 4 * s);
        yield { itemIds, offsets, timestampsMs: Float64Array.from(itemIds, (_, i) => i) };
      },
    },
    { model: { name, config }, titles: { i1: 'The first' } },
  );
  model.dispose();
}
