import type { Sessions, WindowedDataset } from '@nimue/data';
import type { RequestSession } from '@nimue/recommender';

/** A session whose recommendations the report shows. */
export interface SampleSession {
  readonly title: string;
  readonly visible: RequestSession;
  /** What came next, where it is known. */
  readonly next?: string;
}

/** A session as a request, without its last event when that is to be predicted. */
export function requestOf(sessions: Sessions, s: number, dataset: WindowedDataset, hidden = 0): RequestSession {
  const from = sessions.offsets[s];
  const to = sessions.offsets[s + 1] - hidden;
  const columns: Record<string, (number | string | null)[]> = {};
  for (const [key, values] of Object.entries(sessions.columns ?? {})) {
    const kind = key.slice(0, key.indexOf(':'));
    const name = key.slice(kind.length + 1);
    // A column that is carried as both is read as numbers from its texts again.
    if (kind === 'weight' || (kind === 'text' && columns[name])) continue;
    columns[name] = [...values.subarray(from, to)].map((value) =>
      Number.isNaN(value) ? null : kind === 'text' ? dataset.texts[name][value] : value,
    );
  }
  return {
    items: [...sessions.itemCodes.subarray(from, to)].map((code) => dataset.rawItemId(code)),
    ...(!sessions.hasOnlyOrder && { timestampsMs: [...sessions.timestampsMs.subarray(from, to)] }),
    ...(Object.keys(columns).length > 0 && { columns }),
  };
}

/** Sessions of an evaluated window, spread evenly over it: the same for every model and in every run. */
export function drawSamples(sessions: Sessions, count: number, dataset: WindowedDataset): SampleSession[] {
  const asked: number[] = [];
  for (let s = 0; s < sessions.offsets.length - 1; s++) {
    if (sessions.offsets[s + 1] - sessions.offsets[s] >= 2) asked.push(s);
  }
  const chosen = Array.from(
    { length: Math.min(count, asked.length) },
    (_, i) => asked[Math.floor(((i + 0.5) * asked.length) / Math.min(count, asked.length))],
  );
  return chosen.map((s, i) => ({
    title: `Session ${i + 1} of the evaluated window`,
    visible: requestOf(sessions, s, dataset, 1),
    next: dataset.rawItemId(sessions.itemCodes[sessions.offsets[s + 1] - 1]),
  }));
}

/** All that the log knows of a user, as one session; of an unknown user nothing. */
export async function historyOf(user: string, column: string, dataset: WindowedDataset): Promise<SampleSession> {
  const title = `User ${user}`;
  const code = dataset.texts[column]?.indexOf(user) ?? -1;
  const parts: RequestSession[] = [];
  for (const window of code < 0 ? [] : dataset.windows.keys()) {
    const sessions = await dataset.read(window, 'train');
    const users = sessions.columns?.[`text:${column}`];
    for (let s = 0; s < sessions.offsets.length - 1; s++) {
      if (users?.[sessions.offsets[s]] === code) parts.push(requestOf(sessions, s, dataset));
    }
  }
  const joined = <T>(pick: (part: RequestSession) => readonly T[]) => parts.flatMap((part) => [...pick(part)]);
  const names = Object.keys(parts[0]?.columns ?? {});
  return {
    title,
    visible: {
      items: joined(({ items }) => items),
      ...(parts[0]?.timestampsMs && { timestampsMs: joined(({ timestampsMs }) => timestampsMs ?? []) }),
      ...(names.length > 0 && {
        columns: Object.fromEntries(names.map((name) => [name, joined(({ columns }) => columns?.[name] ?? [])])),
      }),
    },
  };
}

/** Turns typed titles into item ids; what is no title is taken for an id. */
export function typedSession(
  items: readonly (string | number)[],
  index: number,
  idOfTitle: ReadonlyMap<string, string>,
) {
  return {
    title: `Made-up session ${index + 1}`,
    visible: { items: items.map((item) => idOfTitle.get(String(item)) ?? String(item)) },
  } satisfies SampleSession;
}
