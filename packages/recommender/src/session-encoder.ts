import { UNKNOWN_ID } from '@nimue/batch';
import {
  columnsOfFeatures,
  type EncodedSessions,
  encodeSessions,
  type FeatureColumn,
  type FeatureConfig,
  type FeaturePipeline,
  hideNewest,
  type PlainSession,
  type RawColumn,
  sessionsFromPlain,
} from '@nimue/data';
import type { Catalogue } from './catalogue.ts';
import { type Cell, RequestError, type RequestSession } from './request.ts';

/** Stands for the item to be predicted; no log can hold it. */
const NEXT = '\u0000next';
const NOTHING = '\u0000nothing';

/** Makes of requests what evaluation makes of a log. */
export class SessionEncoder {
  readonly #catalogue: Catalogue;
  readonly #pipeline: FeaturePipeline | undefined;
  /** Columns that the features read. */
  readonly columns: readonly RawColumn[];

  constructor(catalogue: Catalogue, pipeline?: FeaturePipeline) {
    this.#catalogue = catalogue;
    this.#pipeline = pipeline;
    this.columns = columnsOfFeatures((pipeline?.toJSON().features ?? []).map(({ config }) => config as FeatureConfig));
  }

  /**
   * The sessions as evaluation shows them: an item to be predicted is added and hidden again.
   *
   * @throws RequestError when times or columns do not fit the items, or a feature finds a value missing and must not
   */
  visible(sessions: readonly RequestSession[]): EncodedSessions {
    const hasTimes = sessions.some(({ timestampsMs }) => timestampsMs);
    try {
      const plain = sessions.map((session, s) => withNext(session, s, hasTimes, this.columns));
      const { sessions: laid, source } = sessionsFromPlain(plain, this.columns);
      const asked = hasTimes ? laid : { ...laid, hasOnlyOrder: true };
      const encode = (codes: Int32Array) =>
        codes.map((code) => this.#catalogue.idOf(source.rawItemId(code)) ?? UNKNOWN_ID);
      const features = this.#pipeline?.transform(asked, source);
      return hideNewest(encodeSessions(asked, { encode }, { unknown: 'skip', features })).visible;
    } catch (error) {
      throw new RequestError(error instanceof Error ? error.message : String(error));
    }
  }

  /**
   * What the features say of items by themselves, an event of each: a row per item.
   *
   * @throws RequestError when a column is not known, or a feature finds a value missing and must not
   */
  featuresOfItems(
    items: readonly { readonly item: string; readonly columns: Readonly<Record<string, Cell>> }[],
    timestampMs: number,
  ): Record<string, FeatureColumn> {
    const plain = items.map(({ item, columns }, i): PlainSession => {
      assertKnownColumns(`item '${item}'`, Object.keys(columns), this.columns);
      const own = Object.fromEntries(Object.entries(columns).map(([name, cell]) => [name, [cell]]));
      return { id: String(i), items: [item], timestampsMs: [timestampMs], columns: own };
    });
    try {
      const { sessions, source } = sessionsFromPlain(plain, this.columns);
      return this.#pipeline?.transform(sessions, source) ?? {};
    } catch (error) {
      throw new RequestError(error instanceof Error ? error.message : String(error));
    }
  }
}

/** @throws when some sessions of a request have times and this one has none, or columns and items differ in number */
function withNext(
  { items, timestampsMs, columns = {}, context = {} }: RequestSession,
  s: number,
  hasTimes: boolean,
  known: readonly RawColumn[],
): PlainSession {
  const where = `session ${s}`;
  assertKnownColumns(where, [...Object.keys(columns), ...Object.keys(context)], known);
  if (hasTimes && items.length > 0 && timestampsMs?.length !== items.length) {
    throw new RequestError(
      `${where} has ${items.length} items but ${timestampsMs?.length ?? 'no'} timestamps; give one per item, or none at all`,
    );
  }
  for (const [name, cells] of Object.entries(columns)) {
    if (name in context) throw new RequestError(`${where}: '${name}' is both in columns and in context`);
    if (cells.length !== items.length) {
      throw new RequestError(`${where} has ${items.length} items but ${cells.length} values of '${name}'`);
    }
  }
  const shown = items.length > 0 ? items : [NOTHING];
  const times = shown.map((_, i) => timestampsMs?.[i] ?? i);
  const own = Object.entries(columns).map(([name, cells]): [string, readonly Cell[]] => [
    name,
    items.length > 0 ? [...cells, cells[cells.length - 1] ?? null] : [null, null],
  ]);
  const same = Object.entries(context).map(([name, cell]): [string, readonly Cell[]] => [
    name,
    new Array<Cell>(shown.length + 1).fill(cell),
  ]);
  return {
    items: [...shown, NEXT],
    timestampsMs: [...times, times[times.length - 1]],
    columns: Object.fromEntries([...own, ...same]),
  };
}

function assertKnownColumns(where: string, names: readonly string[], known: readonly RawColumn[]): void {
  const unknown = names.find((name) => !known.some((column) => column.name === name));
  if (unknown === undefined) return;
  const read = [...new Set(known.map(({ name }) => name))].join(', ') || 'none';
  throw new RequestError(`${where}: no feature of the model reads a column '${unknown}' (it reads: ${read})`);
}
