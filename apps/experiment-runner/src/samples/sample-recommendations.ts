import { readTitles, type WindowedDataset } from '@nimue/data';
import {
  type Recommendation,
  Recommender,
  type RecommendRequest,
  RequestError,
  type RequestSession,
} from '@nimue/recommender';
import type { Experiment } from '../experiment/experiment.ts';
import type { SavedModel } from '../run/saved-models.ts';
import { drawSamples, historyOf, type SampleSession, typedSession } from './sample-sessions.ts';
import { userColumnOf } from './user-column.ts';

/** An item as a person reads it. */
export interface ShownItem {
  readonly id: string;
  readonly title?: string;
}

/** What every model recommends to one session. */
export interface SampleRecommendations {
  readonly title: string;
  /** The newest items of the session, oldest first. */
  readonly visible: readonly ShownItem[];
  /** Older items that are left out of `visible`. */
  readonly numOlder: number;
  readonly next?: ShownItem;
  readonly lists: readonly {
    readonly model: string;
    readonly items: readonly ShownItem[];
    /** Why there is no list, or on what it stands. */
    readonly warning?: string;
  }[];
}

/** Items of a session that the report shows. */
const MAX_SHOWN = 10;

export interface SampleRecommendationsArgs {
  readonly experiment: Experiment;
  /** The whole log in its windows, for the histories of users. */
  readonly log: WindowedDataset;
  /** What is evaluated, and its last evaluated window. */
  readonly dataset: WindowedDataset;
  readonly evaluateWindow: number;
  readonly models: readonly SavedModel[];
  readonly titles: ReadonlyMap<string, string>;
}

/** Raw item id → title, as `report.titles` says; empty without it. @throws when the file cannot be read */
export async function titlesOf({ report }: Pick<Experiment, 'report'>): Promise<ReadonlyMap<string, string>> {
  if (!report.titles) return new Map();
  return readTitles({ ...report.titles, title: [report.titles.title].flat() });
}

/** Asks every model for recommendations to the sessions that the `report` section names. */
export async function sampleRecommendations(args: SampleRecommendationsArgs): Promise<SampleRecommendations[]> {
  const { experiment, models, titles } = args;
  const { report, evaluation } = experiment;
  const sessions = await sessionsToShow(args);
  if (sessions.length === 0 || models.length === 0) return [];
  const show = (id: string): ShownItem => ({ id, ...(titles.has(id) && { title: titles.get(id) }) });
  const lists: SampleRecommendations['lists'][number][][] = sessions.map(() => []);
  for (const { label, folder } of models) {
    const recommender = Recommender.load(folder);
    const filterSeen = evaluation.seenItems === 'exclude';
    const options = { k: report.sampleLength, filterSeen, onUnsupported: 'skip' } as const;
    try {
      for (const [s, { visible }] of sessions.entries()) {
        const { items, warning } = answer(recommender, { sessions: [withColumnsOf(recommender, visible)], ...options });
        lists[s].push({ model: label, items: items.map(({ item }) => show(item)), ...(warning && { warning }) });
      }
    } finally {
      recommender.dispose();
    }
  }
  return sessions.map(({ title, visible, next }, s) => ({
    title,
    visible: visible.items.slice(-MAX_SHOWN).map((item) => show(String(item))),
    numOlder: Math.max(0, visible.items.length - MAX_SHOWN),
    ...(next !== undefined && { next: show(next) }),
    lists: lists[s],
  }));
}

/** The session with those of the log's columns that the model reads: others are refused. */
function withColumnsOf(recommender: Recommender, { columns, ...session }: RequestSession): RequestSession {
  const read = recommender.columns.flatMap(({ name }) => (columns?.[name] ? [[name, columns[name]] as const] : []));
  return read.length > 0 ? { ...session, columns: Object.fromEntries(read) } : session;
}

/** A model that cannot be asked so, such as one that needs times, says why: the figures of the run stay. */
function answer(recommender: Recommender, request: RecommendRequest): Pick<Recommendation, 'items' | 'warning'> {
  try {
    return recommender.recommend(request)[0];
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    return { items: [], warning: error.message };
  }
}

async function sessionsToShow({
  experiment,
  log,
  dataset,
  evaluateWindow,
  titles,
}: SampleRecommendationsArgs): Promise<SampleSession[]> {
  const { report, evaluation } = experiment;
  const samples =
    report.samples > 0
      ? drawSamples(await dataset.read(evaluateWindow, evaluation.split), report.samples, dataset)
      : [];
  const column = userColumnOf(experiment);
  const users: SampleSession[] = [];
  if (column !== undefined) {
    for (const user of report.users) users.push(await historyOf(String(user), column, log));
  }
  const idOfTitle = new Map([...titles].map(([id, title]) => [title, id]));
  return [...samples, ...users, ...report.sessions.map((items, i) => typedSession(items, i, idOfTitle))];
}
