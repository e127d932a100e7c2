import { createRequire } from 'node:module';
import { FIRST_ITEM_ID } from '@nimue/batch';
import type { ItemSearch, ItemVectors } from './item-search.ts';

export interface HnswOptions {
  /** Links per item: more find more, the more the larger the catalogue. Default 32. */
  readonly connectivity?: number;
  /** Items looked at when one is added: more take longer to build and find more. Default 256. */
  readonly expansionAdd?: number;
  /** Items looked at when one searches: more take longer and find more. Default 512. */
  readonly expansionSearch?: number;
  /** Threads of `build`; 0 means all processors. Default 0. */
  readonly threads?: number;
}

/** What is used of the package usearch, which need not be installed. */
interface Usearch {
  readonly Index: new (
    config: Record<string, number | string | boolean>,
  ) => {
    add(keys: BigUint64Array, vectors: Float32Array, threads: number): void;
    search(vectors: Float32Array, k: number, threads: number): { readonly keys: BigUint64Array };
  };
}

/**
 * Approximate search by a hierarchical navigable small world graph (Malkov & Yashunin 2018), for catalogues in which looking at
 * every item takes too long: above a million items or so. Measure what it finds with `Recommender.measureRecall`.
 *
 * The largest h · x + b are the nearest neighbors after the items gain a dimension that makes them all of one length
 * (Bachrach et al. 2014, "Speeding Up the Xbox Recommender System Using a Euclidean Transformation for Inner-Product Spaces",
 * theorem 1): with x′ = (x, b) and M the largest |x′|, items are (x′, √(M² − |x′|²)) and questions (h, 1, 0).
 *
 * @throws when the package usearch, an optional dependency, is not installed or does not load on this machine
 *
 * @example
 * recommender.useSearch(hnswSearch());
 * recommender.measureRecall(sessions, 20); // such as 0.98
 */
export function hnswSearch(options: HnswOptions = {}): ItemSearch {
  const { connectivity = 32, expansionAdd = 256, expansionSearch = 512, threads = 0 } = options;
  const { Index } = loadUsearch();
  let index: InstanceType<Usearch['Index']> | undefined;
  let width = 0;
  let numItems = 0;
  return {
    build(vectors) {
      width = vectors.width + 2;
      const points = pointsOfEqualLength(vectors);
      numItems = points.length / width;
      index = new Index({
        dimensions: width,
        metric: 'l2sq',
        quantization: 'f32',
        connectivity,
        expansion_add: expansionAdd,
        expansion_search: expansionSearch,
        multi: false,
      });
      const keys = BigUint64Array.from({ length: numItems }, (_, i) => BigInt(FIRST_ITEM_ID + i));
      if (numItems > 0) index.add(keys, points, threads);
    },
    find(hidden, count) {
      if (!index || numItems === 0) return new Int32Array(0);
      const question = new Float32Array(width);
      question.set(hidden);
      question[width - 2] = 1;
      return Int32Array.from(index.search(question, Math.min(count, numItems), 1).keys, Number);
    },
  };
}

/** (x, b, √(M² − |x|² − b²)) of every item, reserved ids left out. */
function pointsOfEqualLength({ table, width, bias }: ItemVectors): Float32Array {
  const numRows = table.length / width;
  const points = new Float32Array(Math.max(0, numRows - FIRST_ITEM_ID) * (width + 2));
  const squares = new Float64Array(numRows);
  for (let id = FIRST_ITEM_ID; id < numRows; id++) {
    const at = (id - FIRST_ITEM_ID) * (width + 2);
    const own = bias?.[id] ?? 0;
    points.set(table.subarray(id * width, (id + 1) * width), at);
    points[at + width] = own;
    for (let d = 0; d <= width; d++) squares[id] += points[at + d] ** 2;
  }
  const largest = squares.reduce((a, b) => Math.max(a, b), 0);
  for (let id = FIRST_ITEM_ID; id < numRows; id++) {
    points[(id - FIRST_ITEM_ID + 1) * (width + 2) - 1] = Math.sqrt(Math.max(0, largest - squares[id]));
  }
  return points;
}

function loadUsearch(): Usearch {
  try {
    return createRequire(import.meta.url)('usearch') as Usearch;
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new Error(`hnswSearch: the package usearch does not load (${why}); install it with npm install usearch`);
  }
}
