import { type ItemDistance, type ListContext, type RecommendedLists, visitItems } from './recommended-lists.ts';

/** 1 for items of different categories, 0 within one. @param categories by item id */
export function categoryDistance(categories: ArrayLike<number>): ItemDistance {
  return (a, b) => (categories[a] === categories[b] ? 0 : 1);
}

/**
 * 1 − cos of the angle between the items' vectors, 0 … 2.
 *
 * @param vectors row after row, row = item id
 * @throws when a vector has no direction
 */
export function cosineDistance(vectors: ArrayLike<number>, width: number): ItemDistance {
  const dot = (a: number, b: number) => {
    let sum = 0;
    for (let d = 0; d < width; d++) sum += vectors[a * width + d] * vectors[b * width + d];
    return sum;
  };
  return (a, b) => {
    const norms = Math.sqrt(dot(a, a) * dot(b, b));
    if (!(norms > 0)) throw new Error(`cosineDistance: the vector of item ${dot(a, a) > 0 ? b : a} is 0 or not finite`);
    return 1 - dot(a, b) / norms;
  };
}

/**
 * Intra-list diversity: the mean distance between two items of a list (Smyth & McClave 2001; Ziegler et al. 2005), averaged
 * over the lists. Lists of one item take no part.
 *
 * @throws when no list has two items
 *
 * @example
 * // pairs (3, 4), (3, 5), (4, 5); 3 and 4 are of one category
 * const distance = categoryDistance([0, 0, 0, 7, 7, 8]);
 * intraListDiversityAtK({ itemIds: Int32Array.of(3, 4, 5), length: 3 }, 3, distance); // → 0.666…
 */
export function intraListDiversityAtK(lists: RecommendedLists, k: number, distance: ItemDistance): number {
  const members: number[][] = [];
  visitItems('intraListDiversityAtK', lists, k, (item, _place, list) => {
    members[list] ??= [];
    members[list].push(item);
  });
  let sum = 0;
  let numLists = 0;
  for (const items of members) {
    if (!items || items.length < 2) continue;
    let distances = 0;
    for (let i = 0; i < items.length; i++) for (let j = 0; j < i; j++) distances += distance(items[i], items[j]);
    sum += (2 * distances) / (items.length * (items.length - 1));
    numLists++;
  }
  if (numLists === 0) throw new Error('intraListDiversityAtK: no list has two items');
  return sum / numLists;
}

/**
 * Intra-list diversity by the distance of the context: how an experiment file asks for it.
 *
 * @throws when the context has no distance
 */
export function diversityAtK(lists: RecommendedLists, k: number, { distance }: Pick<ListContext, 'distance'>): number {
  if (!distance) {
    throw new Error('diversityAtK: the context has no distance; say by what items differ, a category or vectors');
  }
  return intraListDiversityAtK(lists, k, distance);
}
