import type { Slice } from '../slice.ts';

/** Whether the model knows anything of the session: a session of nothing but new items is a cold start. */
export const history: Slice = {
  parts: ['cold', 'warm'],
  prepare:
    () =>
    ({ numKnownVisible }) =>
      numKnownVisible === 0 ? 'cold' : 'warm',
};
