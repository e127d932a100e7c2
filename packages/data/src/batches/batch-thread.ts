import type { MessagePort } from 'node:worker_threads';
import type { SessionBatch } from '@nimue/batch';
import type { EncodedSessions } from './encode-sessions.ts';
import type { PackBatchesOptions } from './pack-batches.ts';
import type { SharedSpilledSessions } from './spilled-sessions.ts';

/** What the batch thread and the training thread share: counters of messages sent and taken, and a wish to stop. */
export const SENT = 0;
export const TAKEN = 1;
export const CANCELLED = 2;
export const NUM_COUNTERS = 3;

/** What the thread is started with; typed arrays lie in shared memory. */
export interface BatchThreadData {
  readonly sessions: EncodedSessions | SharedSpilledSessions;
  readonly options: Omit<PackBatchesOptions, 'objective' | 'seed' | 'epoch'>;
  /** Objectives cannot be sent, their names and options can. */
  readonly objective?: { readonly name: string; readonly config: unknown };
  readonly counters: Int32Array;
  /** Brings jobs, takes batches. */
  readonly port: MessagePort;
  /** Batches that may lie ready. */
  readonly numAhead: number;
}

/** Asks the thread for the batches of an epoch. */
export interface BatchThreadJob {
  readonly seed?: number;
  readonly epoch: number;
}

export type BatchThreadMessage = { readonly batch: SessionBatch } | { readonly end: true } | { readonly error: string };
