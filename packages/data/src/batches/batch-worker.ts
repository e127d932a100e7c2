import { isMainThread, workerData } from 'node:worker_threads';
import type { SessionBatch } from '@nimue/batch';
import * as objectives from '../objectives.ts';
import { messageOf } from '../read/engine.ts';
import {
  type BatchThreadData,
  type BatchThreadJob,
  type BatchThreadMessage,
  CANCELLED,
  SENT,
  TAKEN,
} from './batch-thread.ts';
import type { Objective, ObjectiveSpec } from './objective.ts';
import { packBatches } from './pack-batches.ts';
import { SpilledSessions } from './spilled-sessions.ts';

/** The batch thread: cuts the batches of the epochs that it is asked for, a few ahead of the training thread. */
function serve(data: BatchThreadData): void {
  const { counters, numAhead, options, port } = data;
  const sessions = 'file' in data.sessions ? SpilledSessions.attach(data.sessions) : data.sessions;
  const objective = data.objective && createObjective(data.objective);
  const send = (message: BatchThreadMessage, transferred: ArrayBuffer[] = []) => {
    port.postMessage(message, transferred);
    Atomics.add(counters, SENT, 1);
    Atomics.notify(counters, SENT);
  };
  port.on('message', ({ seed, epoch }: BatchThreadJob) => {
    try {
      for (const batch of packBatches(sessions, { ...options, objective, seed, epoch })) {
        send({ batch }, buffersOf(batch));
        for (;;) {
          const taken = Atomics.load(counters, TAKEN);
          if (Atomics.load(counters, CANCELLED) === 1 || Atomics.load(counters, SENT) - taken < numAhead) break;
          Atomics.wait(counters, TAKEN, taken);
        }
        if (Atomics.load(counters, CANCELLED) === 1) break;
      }
      send({ end: true });
    } catch (error) {
      send({ error: messageOf(error) });
    }
  });
}

function createObjective({ name, config }: NonNullable<BatchThreadData['objective']>): Objective {
  const spec = (objectives as Record<string, ObjectiveSpec>)[name];
  if (!spec) throw new Error(`the batch thread knows no objective '${name}'`);
  return spec.create(config);
}

/** Memory that the batch alone uses, to be handed over instead of copied. */
function buffersOf({ itemIds, offsets, timestampsMs, features, sessionKeys, targets }: SessionBatch): ArrayBuffer[] {
  const arrays = [itemIds, offsets, timestampsMs, sessionKeys, ...Object.values(features ?? {})];
  if (targets.positions.length > 0) arrays.push(targets.positions, targets.itemIds);
  const own = arrays.flatMap((array) => {
    const isWhole = array !== undefined && array.length > 0 && array.byteLength === array.buffer.byteLength;
    return isWhole && array.buffer instanceof ArrayBuffer ? [array.buffer] : [];
  });
  return [...new Set(own)];
}

if (!isMainThread) serve(workerData as BatchThreadData);
