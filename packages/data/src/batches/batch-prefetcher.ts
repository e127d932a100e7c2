import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import type { SessionBatch } from '@nimue/batch';
import {
  type BatchThreadData,
  type BatchThreadJob,
  type BatchThreadMessage,
  CANCELLED,
  NUM_COUNTERS,
  SENT,
  TAKEN,
} from './batch-thread.ts';
import type { EncodedSessions } from './encode-sessions.ts';
import type { PackBatchesOptions } from './pack-batches.ts';
import { SpilledSessions } from './spilled-sessions.ts';

/** A thread that sends nothing for so long has died. */
const PATIENCE_MS = 120_000;

export interface BatchPrefetcherOptions extends Omit<PackBatchesOptions, 'objective' | 'seed' | 'epoch'> {
  /** The objective by its name in the list and its options, checked; without it batches have no targets. */
  readonly objective?: { readonly name: string; readonly config: unknown };
  /** Batches that may lie ready. Default 4. */
  readonly numAhead?: number;
}

/**
 * `packBatches` on another thread: exactly the same batches, cut while the training thread is at work, which can take them
 * without giving the event loop a turn. Dispose it.
 *
 * @example
 * const prefetcher = new BatchPrefetcher(encoded, { batchSize: 128, objective: { name: 'causal', config: {} } });
 * for (const batch of prefetcher.batches({ seed: 1, epoch: 1 })) train(batch);
 * await prefetcher.dispose();
 */
export class BatchPrefetcher {
  /** Time in which the training thread had to wait for a batch, since the beginning. */
  waitedMs = 0;
  readonly #counters = new Int32Array(new SharedArrayBuffer(4 * NUM_COUNTERS));
  readonly #worker: Worker;
  readonly #port: MessagePort;

  constructor(sessions: EncodedSessions | SpilledSessions, options: BatchPrefetcherOptions) {
    const { objective, numAhead = 4, ...rest } = options;
    const { port1, port2 } = new MessageChannel();
    const data: BatchThreadData = {
      sessions: sessions instanceof SpilledSessions ? sessions.share() : inSharedMemory(sessions),
      options: rest,
      objective,
      counters: this.#counters,
      numAhead,
      port: port2,
    };
    this.#worker = new Worker(workerFile(), { workerData: data, transferList: [port2], execArgv: [] });
    this.#worker.unref();
    this.#port = port1;
    port1.unref();
  }

  /** The batches of an epoch, in order. */
  *batches(job: BatchThreadJob): Generator<SessionBatch> {
    this.#port.postMessage(job);
    let isOver = false;
    try {
      for (;;) {
        const message = this.#receive();
        isOver = !('batch' in message);
        if ('error' in message) throw new Error(message.error);
        if ('end' in message) return;
        yield message.batch;
      }
    } finally {
      if (!isOver) this.#cancel();
    }
  }

  async dispose(): Promise<void> {
    this.#port.close();
    await this.#worker.terminate();
  }

  #cancel(): void {
    Atomics.store(this.#counters, CANCELLED, 1);
    Atomics.notify(this.#counters, TAKEN);
    while ('batch' in this.#receive());
    Atomics.store(this.#counters, CANCELLED, 0);
  }

  #receive(): BatchThreadMessage {
    const started = performance.now();
    for (;;) {
      const sent = Atomics.load(this.#counters, SENT);
      const received = receiveMessageOnPort(this.#port);
      if (received) {
        Atomics.add(this.#counters, TAKEN, 1);
        Atomics.notify(this.#counters, TAKEN);
        this.waitedMs += performance.now() - started;
        return received.message;
      }
      if (performance.now() - started > PATIENCE_MS) {
        throw new Error('BatchPrefetcher: the batch thread does not answer; train without prefetch');
      }
      Atomics.wait(this.#counters, SENT, sent, 1000);
    }
  }
}

/** The compiled thread; run from its source, the package must have been built too. */
function workerFile(): URL {
  const isSource = import.meta.url.endsWith('.ts');
  return new URL(isSource ? '../../dist/batches/batch-worker.js' : './batch-worker.js', import.meta.url);
}

function inSharedMemory({ itemIds, offsets, timestampsMs, features, sessionKeys }: EncodedSessions): EncodedSessions {
  const ints = (array: Int32Array) => shared(array, new Int32Array(new SharedArrayBuffer(array.byteLength)));
  const floats = (array: Float32Array) => shared(array, new Float32Array(new SharedArrayBuffer(array.byteLength)));
  return {
    itemIds: ints(itemIds),
    offsets: ints(offsets),
    ...(timestampsMs && {
      timestampsMs: shared(timestampsMs, new Float64Array(new SharedArrayBuffer(timestampsMs.byteLength))),
    }),
    ...(features && {
      features: Object.fromEntries(
        Object.entries(features).map(([name, column]) => [
          name,
          column instanceof Int32Array ? ints(column) : floats(column),
        ]),
      ),
    }),
    ...(sessionKeys && { sessionKeys: ints(sessionKeys) }),
  };
}

function shared<Column extends Int32Array | Float32Array | Float64Array>(from: Column, to: Column): Column {
  to.set(from);
  return to;
}
