import type { DatasetSpec } from './dataset-spec.ts';

/** The generated shop with its default options: nothing to download, and the best possible result is known. */
export const generatedShop: DatasetSpec = {
  title: 'Generated shop',
  source: 'generated',
  licence: 'MIT',
  dataset: () => ({ generated: 'shop' }),
  sessions: { by: 'session', minLength: 2 },
  windows: { span: 'day' },
};
