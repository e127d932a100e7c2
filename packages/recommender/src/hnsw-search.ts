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

/** Items that are linked at a time. */
const ITEMS_PER_STEP = 64;

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
  /** M². */
  let largestSquare = 0;
  const add = (vectors: ItemVectors, first: number, end: number) => {
    const keys = BigUint64Array.from({ length: end - first }, (_, i) => BigInt(first + i));
    index?.add(keys, pointsOfEqualLength(vectors, first, end, largestSquare), threads);
    numItems = end - FIRST_ITEM_ID;
  };
  return {
    *build(vectors) {
      width = vectors.width + 2;
      numItems = 0;
      index = new Index({
        dimensions: width,
        metric: 'l2sq',
        quantization: 'f32',
        connectivity,
        expansion_add: expansionAdd,
        expansion_search: expansionSearch,
        multi: false,
      });
      const numRows = vectors.table.length / vectors.width;
      largestSquare = 0;
      for (let id = FIRST_ITEM_ID; id < numRows; id++) {
        largestSquare = Math.max(largestSquare, squareOf(vectors, id));
        if (id % 10_000 === 0) yield;
      }
      for (let id = FIRST_ITEM_ID; id < numRows; id += ITEMS_PER_STEP) {
        add(vectors, id, Math.min(numRows, id + ITEMS_PER_STEP));
        yield;
      }
    },
    add(vectors, firstRow) {
      add(vectors, firstRow, vectors.table.length / vectors.width);
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

/** (x, b, √(M² − |x|² − b²)) of the items `first` … `end − 1`; 0 at the end of one that is longer than those before were. */
function pointsOfEqualLength(vectors: ItemVectors, first: number, end: number, largestSquare: number): Float32Array {
  const { table, width, bias } = vectors;
  const points = new Float32Array((end - first) * (width + 2));
  for (let id = first; id < end; id++) {
    const at = (id - first) * (width + 2);
    points.set(table.subarray(id * width, (id + 1) * width), at);
    points[at + width] = bias?.[id] ?? 0;
    points[at + width + 1] = Math.sqrt(Math.max(0, largestSquare - squareOf(vectors, id)));
  }
  return points;
}

/** |x|² + b² */
function squareOf({ table, width, bias }: ItemVectors, id: number): number {
  let square = (bias?.[id] ?? 0) ** 2;
  for (let d = id * width; d < (id + 1) * width; d++) square += table[d] ** 2;
  return square;
}

function loadUsearch(): Usearch {
  try {
    return createRequire(import.meta.url)('usearch') as Usearch;
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new Error(`hnswSearch: the package usearch does not load (${why}); install it with npm install usearch`);
  }
}
