import { FIRST_ITEM_ID } from '@nimue/batch';
import type { Slice } from '../slice.ts';

const TENTHS = Array.from({ length: 10 }, (_, tenth) => `${10 * tenth} … ${10 * tenth + 10} % most popular`);

/** The tenth of the known items, by falling clicks in training, that the target lies in; equally popular ones by id. */
export const itemPopularity: Slice = {
  parts: ['new', ...TENTHS],
  prepare({ statistics: { clicks } }) {
    const ids = Array.from({ length: clicks.length - FIRST_ITEM_ID }, (_, i) => i + FIRST_ITEM_ID);
    ids.sort((a, b) => clicks[b] - clicks[a] || a - b);
    const tenth = new Uint8Array(clicks.length);
    ids.forEach((id, place) => {
      tenth[id] = Math.floor((10 * place) / ids.length);
    });
    return ({ targetId }) => (targetId < FIRST_ITEM_ID ? 'new' : TENTHS[tenth[targetId]]);
  },
};
