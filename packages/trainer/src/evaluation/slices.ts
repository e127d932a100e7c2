// One line per slice; the export name is the name in an experiment file.
export { history } from './slices/history.ts';
export { hourOfDay } from './slices/hour-of-day.ts';
export { itemAge } from './slices/item-age.ts';
export { itemPopularity } from './slices/item-popularity.ts';
export { sessionLength } from './slices/session-length.ts';
