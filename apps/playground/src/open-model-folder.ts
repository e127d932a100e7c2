import { openModelFiles, Recommender } from '@nimue/recommender';
import type { AnsweringModel } from './answering-model.ts';

/** A model folder as training writes it: `manifest.json`, `items.json`, `weights.safetensors`. */
export async function openModelFolder(files: Readonly<Record<string, Uint8Array>>): Promise<AnsweringModel> {
  const opened = await openModelFiles(files, 'from your files');
  const recommender = new Recommender(opened);
  const { manifest, model } = opened;
  return {
    label: recommender.label,
    description: `${model.name} · ${model.kind === 'neural' ? `${model.parameters.numWeights.toLocaleString('en')} weights` : 'counts'} · trained until ${manifest.trainWindows.at(-1) ?? '—'}`,
    items: opened.itemIds,
    titles: new Map(Object.entries(opened.titles ?? {})),
    async recommend(items, timestampsMs, k) {
      const [{ items: list }] = recommender.recommend({ sessions: [{ items, timestampsMs }], k, withScores: true });
      return list.map(({ item, score = 0 }) => ({ item, score }));
    },
    dispose: () => recommender.dispose(),
  };
}
