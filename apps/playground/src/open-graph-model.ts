import * as tf from '@tensorflow/tfjs';
import type { AnsweringModel } from './answering-model.ts';

interface ExportDescription {
  readonly format: string;
  readonly label: string;
  readonly model: string;
  readonly maxLength: number | null;
  readonly ids: { readonly padding: number; readonly unknown: number; readonly firstItemId: number };
  readonly inputs: Readonly<Record<string, { readonly shape: readonly (number | string)[] }>>;
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly columns: readonly { readonly name: string }[];
}

/** What `nimue export --format tfjs` writes: `model.json` with its weights, `items.json` and `export.json`. */
export async function openGraphModel(files: Readonly<Record<string, Uint8Array>>): Promise<AnsweringModel> {
  const json = (name: string) => {
    if (!files[name]) throw new Error(`${name} is missing; choose all files of the folder together`);
    return JSON.parse(new TextDecoder().decode(files[name]));
  };
  const about: ExportDescription = json('export.json');
  const { ids, titles = {} }: { ids: string[]; titles?: Record<string, string> } = json('items.json');
  const topology = json('model.json');
  if (about.columns.length > 0) {
    const names = about.columns.map(({ name }) => name).join(', ');
    throw new Error(`this model reads columns that the page does not know: ${names}`);
  }
  const [{ paths, weights }] = topology.weightsManifest;
  const parts = (paths as string[]).map((path) => {
    if (!files[path]) throw new Error(`${path} is missing; choose all files of the folder together`);
    return files[path];
  });
  const graph = await tf.loadGraphModel({
    load: async () => ({
      modelTopology: topology.modelTopology,
      signature: topology.signature,
      weightSpecs: weights,
      weightData: parts.map((part) => new Uint8Array(part).buffer),
    }),
  });
  const idOf = new Map(ids.map((id, i) => [id, i + about.ids.firstItemId]));
  const hasLoop = 'library' in topology.modelTopology;
  const [batch, width] = about.inputs.item_ids.shape;
  return {
    label: about.label,
    description: `${about.model} · TensorFlow.js graph`,
    items: ids,
    titles: new Map(Object.entries(titles)),
    async recommend(items, timestampsMs, k) {
      const known = items
        .map((item, i) => [idOf.get(item), timestampsMs[i]] as const)
        .filter(([id]) => id !== undefined);
      const longest = Math.min(
        about.maxLength ?? Number.POSITIVE_INFINITY,
        typeof width === 'number' ? width : Number.POSITIVE_INFINITY,
      );
      const newest = known.length > 0 ? known.slice(-longest) : [[about.ids.unknown, 0] as const];
      const shape: [number, number] = [
        typeof batch === 'number' ? batch : 1,
        typeof width === 'number' ? width : newest.length,
      ];
      const column = (of: (event: readonly [number | undefined, number]) => number) => {
        const values = new Int32Array(shape[0] * shape[1]);
        newest.forEach((event, i) => {
          values[i] = of(event);
        });
        return tf.tensor2d(values, shape, 'int32');
      };
      const all: Readonly<Record<string, tf.Tensor>> = {
        item_ids: column(([id]) => id as number),
        timestamps_s: column(([, ms]) => Math.floor(ms / 1000)),
        timestamps_rest_ms: column(([, ms]) => ms % 1000),
      };
      const feeds = Object.fromEntries(Object.keys(about.inputs).map((name) => [name, all[name]]));
      const names = Object.keys(about.outputs);
      const answer = hasLoop ? await graph.executeAsync(feeds, names) : graph.execute(feeds, names);
      const outputs = Array.isArray(answer) ? answer : [answer];
      const values = await Promise.all(outputs.map((output) => output.data()));
      tf.dispose([outputs, all]);
      const named = Object.fromEntries(names.map((name, i) => [name, values[i]]));
      if (named.top_items) {
        const places = Array.from(named.top_items.subarray(0, Math.min(k, named.top_items.length / shape[0])));
        return places.map((place, i) => ({ item: ids[place], score: named.top_scores[i] }));
      }
      return bestOf(named.scores.subarray(0, ids.length), k).map((place) => ({
        item: ids[place],
        score: named.scores[place],
      }));
    },
    dispose: () => graph.dispose(),
  };
}

/** Places of the k largest, largest first; of equal ones the first. */
function bestOf(scores: ArrayLike<number>, k: number): number[] {
  const best: number[] = [];
  for (let place = 0; place < scores.length; place++) {
    if (best.length === k && scores[place] <= scores[best[k - 1]]) continue;
    let at = best.length;
    while (at > 0 && scores[best[at - 1]] < scores[place]) at--;
    best.splice(at, 0, place);
    best.length = Math.min(best.length, k);
  }
  return best;
}
