/**
 * Events laid end to end as 64-bit words, `width` words each: the hash of the key, the time, the place in the log, any number of
 * further doubles, and in the last word the item code as a 32-bit integer.
 */
export interface EventRecords {
  readonly doubles: Float64Array;
  /** The same memory. */
  readonly ints: Int32Array;
  readonly width: number;
  readonly length: number;
}

export const KEY = 0;
export const TIME = 1;
export const PLACE = 2;
/** The first of the further doubles. */
export const FURTHER = 3;

/** Runs of at most this length are put in order by insertion. */
const SHORT_RUN = 24;
/** From this length on, counting digits is faster than comparing. */
const LONG_RUN = 512;
const DIGIT_BITS = 11;
const DIGIT_MASK = 2 ** DIGIT_BITS - 1;
/** Half of the bits of the times that `orderByDigits` takes. */
const HALF = 2 ** (2 * DIGIT_BITS);

/**
 * Order of the events by the hash of their key (unsigned), time, the further double `orderWord` where there is one, and
 * place in the log.
 *
 * Keys are numbered and their events counted, which brings the events of each together; a key whose events came in order is left
 * as it is, as those of most logs do. Otherwise many times are ordered digit by digit; of few, time and number of an event are put
 * into one double, where both fit, since doubles are sorted an order of magnitude faster than by a comparison of our own.
 *
 * @param orderWord word of a number that orders events of the same time
 * @returns numbers of the events [length]
 */
export function orderOfRecords(records: EventRecords, orderWord?: number): Uint32Array {
  const { order, ends } = groupByKey(records);
  let from = 0;
  for (const to of ends) {
    orderByTime(order, from, to, records, orderWord);
    from = to;
  }
  return order;
}

/** Events by key, each key's in the order in which they came. */
function groupByKey({ ints, length, width }: EventRecords): { order: Uint32Array; ends: Uint32Array } {
  const mask = 2 ** Math.ceil(Math.log2(Math.max(8, 2 * length))) - 1;
  const slots = new Int32Array(mask + 1).fill(-1);
  const keyOf = new Uint32Array(length);
  const firstEvents: number[] = [];
  const counts: number[] = [];
  for (let e = 0; e < length; e++) {
    const at = 2 * (e * width + KEY);
    let slot = ints[at] & mask;
    let key = slots[slot];
    while (key >= 0) {
      const other = 2 * (firstEvents[key] * width + KEY);
      if (ints[other] === ints[at] && ints[other + 1] === ints[at + 1]) break;
      slot = (slot + 1) & mask;
      key = slots[slot];
    }
    if (key < 0) {
      key = firstEvents.length;
      slots[slot] = key;
      firstEvents.push(e);
      counts.push(0);
    }
    keyOf[e] = key;
    counts[key]++;
  }
  const sorted = sortKeys(firstEvents, (event, which) => ints[2 * (event * width + KEY) + which] >>> 0);
  const next = new Uint32Array(counts.length);
  const ends = new Uint32Array(counts.length);
  let end = 0;
  for (let k = 0; k < sorted.length; k++) {
    next[sorted[k]] = end;
    end += counts[sorted[k]];
    ends[k] = end;
  }
  const order = new Uint32Array(length);
  for (let e = 0; e < length; e++) order[next[keyOf[e]]++] = e;
  return { order, ends };
}

/** Keys by rising hash: the upper halves and the keys in one double each, then the lower halves where the upper ones are the same. */
function sortKeys(firstEvents: readonly number[], half: (event: number, which: 0 | 1) => number): Uint32Array {
  const numKeys = firstEvents.length;
  const compare = (a: number, b: number) =>
    half(firstEvents[a], 1) - half(firstEvents[b], 1) || half(firstEvents[a], 0) - half(firstEvents[b], 0);
  const sorted = new Uint32Array(numKeys);
  if (numKeys > 2 ** 21) {
    for (let key = 0; key < numKeys; key++) sorted[key] = key;
    return sorted.sort(compare);
  }
  const both = new Float64Array(numKeys);
  for (let key = 0; key < numKeys; key++) both[key] = half(firstEvents[key], 1) * 2 ** 21 + key;
  both.sort();
  for (let k = 0; k < numKeys; k++) sorted[k] = both[k] % 2 ** 21;
  insertionSort(sorted, 0, numKeys, compare);
  return sorted;
}

function orderByTime(
  order: Uint32Array,
  from: number,
  to: number,
  { doubles, width }: EventRecords,
  orderWord: number | undefined,
): void {
  const compare = (a: number, b: number): number =>
    doubles[a * width + TIME] - doubles[b * width + TIME] ||
    (orderWord === undefined ? 0 : doubles[a * width + orderWord] - doubles[b * width + orderWord]) ||
    doubles[a * width + PLACE] - doubles[b * width + PLACE];
  let isOrdered = true;
  for (let i = from + 1; i < to && isOrdered; i++) isOrdered = compare(order[i - 1], order[i]) <= 0;
  if (isOrdered) return;
  if (to - from <= SHORT_RUN) {
    insertionSort(order, from, to, compare);
    return;
  }
  const run = order.slice(from, to);
  const { length } = run;
  const times = new Float64Array(length);
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  let areWhole = true;
  for (let i = 0; i < length; i++) {
    const time = doubles[run[i] * width + TIME];
    times[i] = time;
    if (time < low) low = time;
    if (time > high) high = time;
    areWhole &&= Number.isInteger(time);
  }
  if (length >= LONG_RUN && areWhole && high - low < HALF * HALF) {
    const places = orderByDigits(times, low);
    let [first, last] = [0, Number.NaN];
    for (let i = 0; i < length; i++) {
      order[from + i] = run[places[i]];
      const time = times[places[i]];
      if (time === last) continue;
      sortTies(order, from + first, from + i, compare);
      [first, last] = [i, time];
    }
    sortTies(order, from + first, to, compare);
    return;
  }
  // A power of two, so that time and number are taken apart again exactly and without a division's remainder.
  const scale = 2 ** Math.ceil(Math.log2(length));
  if (!areWhole || (high - low + 1) * scale > Number.MAX_SAFE_INTEGER) {
    order.set(run.sort(compare), from);
    return;
  }
  for (let i = 0; i < length; i++) times[i] = (times[i] - low) * scale + i;
  times.sort();
  let [first, last] = [0, -1];
  for (let i = 0; i < length; i++) {
    const time = Math.floor(times[i] / scale);
    order[from + i] = run[times[i] - time * scale];
    if (time === last) continue;
    sortTies(order, from + first, from + i, compare);
    [first, last] = [i, time];
  }
  sortTies(order, from + first, to, compare);
}

/**
 * Places of whole numbers by their size, equal ones as they came: a radix sort, from the least digit to the greatest.
 *
 * @param low the least of them; the greatest is less than 2^44 above it
 */
function orderByDigits(values: Float64Array, low: number): Uint32Array {
  const { length } = values;
  const halves = [new Int32Array(length), new Int32Array(length)];
  for (let i = 0; i < length; i++) {
    const value = values[i] - low;
    halves[1][i] = value / HALF;
    halves[0][i] = value - halves[1][i] * HALF;
  }
  let places = new Uint32Array(length);
  for (let i = 0; i < length; i++) places[i] = i;
  let next = new Uint32Array(length);
  const ends = new Uint32Array(DIGIT_MASK + 1);
  for (const half of halves) {
    for (const shift of [0, DIGIT_BITS]) {
      ends.fill(0);
      for (let i = 0; i < length; i++) ends[(half[i] >> shift) & DIGIT_MASK]++;
      // All in one place: this digit changes nothing.
      if (ends[(half[0] >> shift) & DIGIT_MASK] === length) continue;
      let end = 0;
      for (let digit = 0; digit <= DIGIT_MASK; digit++) {
        const count = ends[digit];
        ends[digit] = end;
        end += count;
      }
      for (let i = 0; i < length; i++) {
        const place = places[i];
        next[ends[(half[place] >> shift) & DIGIT_MASK]++] = place;
      }
      [places, next] = [next, places];
    }
  }
  return places;
}

/** Equal times came out as they came in; order and place decide. */
function sortTies(order: Uint32Array, from: number, to: number, compare: (a: number, b: number) => number): void {
  if (to - from <= SHORT_RUN) insertionSort(order, from, to, compare);
  else order.subarray(from, to).sort(compare);
}

function insertionSort(order: Uint32Array, from: number, to: number, compare: (a: number, b: number) => number): void {
  for (let i = from + 1; i < to; i++) {
    const event = order[i];
    let place = i;
    for (; place > from && compare(order[place - 1], event) > 0; place--) order[place] = order[place - 1];
    order[place] = event;
  }
}
