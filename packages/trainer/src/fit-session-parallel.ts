import { FIRST_ITEM_ID, type SessionBatch } from '@nimue/batch';
import {
  type EncodedSessions,
  knownOfTargets,
  type Objective,
  type SessionParallelStep,
  sessionParallelSteps,
  takeApart,
} from '@nimue/data';
import type { NeuralModel } from '@nimue/models';

/** @throws when the model or the objective cannot be trained that way, in the words of the configuration */
export function assertSessionParallel(
  model: Pick<NeuralModel, 'name' | 'carriesState'>,
  objective: Pick<Objective, 'name'>,
  sessions: object,
): asserts sessions is EncodedSessions {
  if (!model.carriesState) {
    throw new Error(
      `${model.name}: training.sessionParallel needs a model that carries its state from click to click, such as gru4rec without inputs of kind: timeInterval or a context's role; leave it out for this one`,
    );
  }
  if (objective.name !== 'causal') {
    throw new Error(
      `${model.name}: training.sessionParallel predicts every next item, so it needs the objective 'causal', got '${objective.name}'`,
    );
  }
  if (!('itemIds' in sessions)) {
    throw new Error(
      `${model.name}: training.sessionParallel needs the train sessions in memory; raise training.maxEventsInMemory`,
    );
  }
}

/** One event per lane as a batch, and which lanes they are. */
export interface LaneBatch {
  readonly batch: SessionBatch;
  readonly lanes: Int32Array;
  readonly resets: Uint8Array;
}

export function* laneBatches(
  sessions: EncodedSessions,
  options: { readonly batchSize: number; readonly seed: number; readonly epoch: number },
): Generator<LaneBatch> {
  for (const step of sessionParallelSteps(sessions, options)) {
    yield { batch: batchOf(step, sessions.features), lanes: step.lanes, resets: step.resets };
  }
}

export function countLaneBatches(
  sessions: EncodedSessions,
  options: { readonly batchSize: number; readonly seed: number; readonly epoch: number },
): number {
  let count = 0;
  for (const _ of sessionParallelSteps(sessions, options)) count++;
  return count;
}

/** Every lane's click with its features. A next item that is not in the vocabulary is no training target. */
function batchOf(
  { itemIds, targetIds, events }: SessionParallelStep,
  features: EncodedSessions['features'],
): SessionBatch {
  const positions = Int32Array.from(targetIds.keys()).filter((lane) => targetIds[lane] >= FIRST_ITEM_ID);
  const apart = takeApart(features);
  const nextEvents = positions.map((lane) => events[lane] + 1);
  return {
    itemIds,
    offsets: Int32Array.from({ length: itemIds.length + 1 }, (_, lane) => lane),
    targets: {
      positions,
      itemIds: positions.map((lane) => targetIds[lane]),
      ...knownOfTargets(apart, nextEvents),
    },
    ...(Object.keys(apart.inputs).length > 0 && { features: takeEvents(apart.inputs, events) }),
  };
}

function takeEvents(
  features: NonNullable<EncodedSessions['features']>,
  events: Int32Array,
): NonNullable<SessionBatch['features']> {
  return Object.fromEntries(
    Object.entries(features).map(([name, column]) => [
      name,
      column instanceof Int32Array
        ? events.map((event) => column[event])
        : Float32Array.from(events, (event) => column[event]),
    ]),
  );
}
