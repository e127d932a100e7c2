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

/** Events by key, and each key's by time. */
export interface OrderedRecords {
  /** Numbers of the events [length]. */
  readonly order: Uint32Array;
  /** Times in this order [length]. */
  readonly times: Float64Array;
  /** Item codes in this order [length]. */
  readonly itemCodes: Int32Array;
  /** Where the events of each key end in it [number of keys]. */
  readonly ends: Uint32Array;
}

/** Runs of at most this length are put in order by insertion. */
const SHORT_RUN = 24;
/** From this length on, counting digits is faster than comparing. */
const LONG_RUN = 512;
const MAX_DIGIT_BITS = 11;
/** Bits of the times that four digits hold. */
const MAX_BITS = 4 * MAX_DIGIT_BITS;

/**
 * Order of the events by the hash of their key (unsigned), time, the further double `orderWord` where there is one, and
 * place in the log.
 *
 * Keys are numbered and their events counted, which brings the events of each together, times and item codes beside them: what follows
 * reads memory that lies together. A key whose events came in order is left
 * as it is, as those of most logs do. Otherwise many times are ordered digit by digit; of few, time and number of an event are put
 * into one double, where both fit, since doubles are sorted an order of magnitude faster than by a comparison of our own.
 *
 * @param orderWord word of a number that orders events of the same time
 */
export function orderOfRecords(records: EventRecords, orderWord?: number): OrderedRecords {
  const ordered = groupByKey(records);
  let from = 0;
  for (const to of ordered.ends) {
    orderByTime(ordered, from, to, records, orderWord);
    from = to;
  }
  return ordered;
}

function itemWord(event: number, width: number): number {
  return 2 * (event * width + width - 1);
}

/** Events by key, each key's in the order in which they came. */
function groupByKey({ doubles, ints, length, width }: EventRecords): OrderedRecords {
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
  const times = new Float64Array(length);
  const itemCodes = new Int32Array(length);
  for (let e = 0; e < length; e++) {
    const place = next[keyOf[e]]++;
    order[place] = e;
    times[place] = doubles[e * width + TIME];
    itemCodes[place] = ints[itemWord(e, width)];
  }
  return { order, times, itemCodes, ends };
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
  { order, times, itemCodes }: OrderedRecords,
  from: number,
  to: number,
  { doubles, ints, width }: EventRecords,
  orderWord: number | undefined,
): void {
  const compare = (a: number, b: number): number =>
    doubles[a * width + TIME] - doubles[b * width + TIME] ||
    (orderWord === undefined ? 0 : doubles[a * width + orderWord] - doubles[b * width + orderWord]) ||
    doubles[a * width + PLACE] - doubles[b * width + PLACE];
  let isOrdered = true;
  for (let i = from + 1; i < to && isOrdered; i++) {
    isOrdered = times[i - 1] < times[i] || (times[i - 1] === times[i] && compare(order[i - 1], order[i]) <= 0);
  }
  if (isOrdered) return;
  /** After a change of the order there. */
  const readAgain = (first: number, end: number) => {
    for (let i = first; i < end; i++) {
      times[i] = doubles[order[i] * width + TIME];
      itemCodes[i] = ints[itemWord(order[i], width)];
    }
  };
  const length = to - from;
  if (length <= SHORT_RUN) {
    insertionSort(order, from, to, compare);
    readAgain(from, to);
    return;
  }
  const places = placesByTime(times.slice(from, to));
  if (!places) {
    order.subarray(from, to).sort(compare);
    readAgain(from, to);
    return;
  }
  const run = { order: order.slice(from, to), times: times.slice(from, to), itemCodes: itemCodes.slice(from, to) };
  for (let i = 0; i < length; i++) {
    const place = places[i];
    order[from + i] = run.order[place];
    times[from + i] = run.times[place];
    itemCodes[from + i] = run.itemCodes[place];
  }
  // Equal times came out as they came in; order and place decide.
  for (let first = from, i = from + 1; i <= to; i++) {
    if (i < to && times[i] === times[first]) continue;
    if (i > first + 1) {
      if (i - first <= SHORT_RUN) insertionSort(order, first, i, compare);
      else order.subarray(first, i).sort(compare);
      readAgain(first, i);
    }
    first = i;
  }
}

/** Places of the times by their size, equal ones as they came; nothing where they are no whole numbers, or too far apart. May change the times. */
function placesByTime(times: Float64Array): Uint32Array | undefined {
  const { length } = times;
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  let areWhole = true;
  for (let i = 0; i < length; i++) {
    const time = times[i];
    if (time < low) low = time;
    if (time > high) high = time;
    areWhole &&= time === Math.floor(time);
  }
  if (!areWhole) return undefined;
  if (length >= LONG_RUN && high - low < 2 ** MAX_BITS) return placesByDigits(times, low, high);
  // A power of two, so that time and number are taken apart again exactly and without a division's remainder.
  const scale = 2 ** Math.ceil(Math.log2(length));
  if ((high - low + 1) * scale > Number.MAX_SAFE_INTEGER) return undefined;
  for (let i = 0; i < length; i++) times[i] = (times[i] - low) * scale + i;
  times.sort();
  const places = new Uint32Array(length);
  for (let i = 0; i < length; i++) places[i] = times[i] - Math.floor(times[i] / scale) * scale;
  return places;
}

/**
 * Places of whole numbers by their size, equal ones as they came: a radix sort, from the least digit to the greatest.
 *
 * @param low the least of them
 * @param high the greatest, less than 2^44 above it
 */
function placesByDigits(values: Float64Array, low: number, high: number): Uint32Array {
  const { length } = values;
  const bits = Math.max(1, Math.ceil(Math.log2(high - low + 1)));
  const numDigits = Math.ceil(bits / MAX_DIGIT_BITS);
  const digitBits = Math.ceil(bits / numDigits);
  const size = 2 ** digitBits;
  const mask = size - 1;
  // Two digits in each half, so that digits are taken from 32-bit integers.
  const halves = [new Int32Array(length), new Int32Array(length)];
  const [lower, upper] = halves;
  const counts = new Uint32Array(4 * size);
  for (let i = 0; i < length; i++) {
    const value = values[i] - low;
    const above = Math.floor(value / (size * size));
    const below = value - above * size * size;
    lower[i] = below;
    upper[i] = above;
    counts[below & mask]++;
    counts[size + (below >> digitBits)]++;
    counts[2 * size + (above & mask)]++;
    counts[3 * size + (above >> digitBits)]++;
  }
  let places = new Uint32Array(length);
  for (let i = 0; i < length; i++) places[i] = i;
  let next = new Uint32Array(length);
  for (let digit = 0; digit < numDigits; digit++) {
    const ends = counts.subarray(digit * size, (digit + 1) * size);
    let end = 0;
    for (let d = 0; d < size; d++) {
      const count = ends[d];
      ends[d] = end;
      end += count;
    }
    const half = halves[digit >> 1];
    const shift = (digit & 1) * digitBits;
    for (let i = 0; i < length; i++) {
      const place = places[i];
      next[ends[(half[place] >> shift) & mask]++] = place;
    }
    [places, next] = [next, places];
  }
  return places;
}

function insertionSort(order: Uint32Array, from: number, to: number, compare: (a: number, b: number) => number): void {
  for (let i = from + 1; i < to; i++) {
    const event = order[i];
    let place = i;
    for (; place > from && compare(order[place - 1], event) > 0; place--) order[place] = order[place - 1];
    order[place] = event;
  }
}
