import type { Catalogue } from './catalogue.ts';
import type { OpenedModel } from './open-model.ts';
import { type Cell, RequestError } from './request.ts';
import type { SessionEncoder } from './session-encoder.ts';

/** An item that the model was not trained with. */
export interface NewItem {
  readonly item: string | number;
  readonly title?: string;
  /** What the log says of it: the columns that the model's features read. A column that is not given is missing. */
  readonly columns?: Readonly<Record<string, Cell>>;
  /** Known items that it is like: its vectors start as the mean of theirs, and not as the mean of all. */
  readonly like?: readonly (string | number)[];
  /** When it appears, for features that look at times, in milliseconds since 1970 UTC. Default: now. */
  readonly timestampMs?: number;
}

/**
 * Gives new items a place in the model and the catalogue. What tells one from another is what the model makes of the items'
 * features (an input with `role: item`), or the items that it is said to be like. Nothing is trained, and no score of another
 * item changes.
 *
 * @throws RequestError, before anything is changed, when an item is known already or twice there, the model counts, or
 *   nothing would tell the item from others
 */
export function addItems(
  { model, pipeline }: OpenedModel,
  catalogue: Catalogue,
  encoder: SessionEncoder,
  items: readonly NewItem[],
): void {
  if (items.length === 0) return;
  if (model.kind !== 'neural') {
    throw new RequestError(
      `${model.name}: a model that counts cannot take in an item that no session has shown; train it`,
    );
  }
  const names = items.map(({ item }) => String(item));
  const readsItems = model.addItemFeatures !== undefined;
  const similar = new Map<number, readonly number[]>();
  for (const [i, { like = [] }] of items.entries()) {
    const name = names[i];
    if (catalogue.idOf(name) !== undefined) throw new RequestError(`item '${name}' is known already`);
    if (names.indexOf(name) < i) throw new RequestError(`item '${name}' is there twice`);
    const ids = like.map((other) => {
      const id = catalogue.idOf(other);
      if (id === undefined)
        throw new RequestError(`item '${name}' cannot be like '${other}', which the model does not know`);
      return id;
    });
    if (ids.length === 0 && !readsItems) {
      throw new RequestError(
        `item '${name}': ${model.name} reads no features of items (no input has the role item), so nothing would tell it from others; say which known items it is like`,
      );
    }
    similar.set(model.numRows + i, ids);
  }
  const described = items.map(({ columns = {} }, i) => ({ item: names[i], columns }));
  const times = items.map(({ timestampMs }) => timestampMs ?? Date.now());
  const rows = pipeline && readsItems ? described.map((item, i) => encoder.featuresOfItems([item], times[i])) : [];
  model.resizeItems(model.numRows + items.length, { kind: 'similar', similarTo: (id) => similar.get(id) ?? [] });
  for (const row of rows) model.addItemFeatures?.(row);
  for (const [i, { title }] of items.entries()) catalogue.add(names[i], title);
}
