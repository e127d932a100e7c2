import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { ShardJob, ShardResult } from '@nimue/data';
import { NoMemoryError } from '@nimue/executor';
import { InputError } from '../input-error.ts';
import { residentMemory } from './resident-memory.ts';

const NIMUE = fileURLToPath(new URL('../../bin/nimue.mjs', import.meta.url));

/** What a cell's process is asked. */
export interface CellRequest {
  /** The whole experiment file, as text. */
  readonly experiment: string;
  /** The folder of the prepared data set. */
  readonly prepared: string;
  /** Where the folder of the run is made. */
  readonly out: string;
  /** The folder of a run that was stopped, to go on in it. */
  readonly resume?: string;
}

/** A piece of the preparation of a log, for the same processes. */
export interface ShardRequest {
  readonly job: ShardJob;
  /** Address of the store that the pieces share. */
  readonly store: string;
  /** A folder for temporary files. */
  readonly scratch: string;
  readonly threads: number;
}

/** What comes out of a cell, as far as a sweep needs it. */
export interface CellResult {
  /** The run's folder. */
  readonly run: string;
  readonly models: readonly {
    readonly model: string;
    readonly metrics: Readonly<Record<string, { readonly mean: number; readonly standardError?: number | null }>>;
    readonly trainSeconds: number;
    /** Events that training read, all epochs and seeds together; 0 for models that count. */
    readonly numEventsRead: number;
  }[];
  /** Of the process at its largest, cells before this one included. */
  readonly memoryBytes: number;
}

/** What a cell's process hears: a cell to run, a piece to prepare, or to end the cell it runs after the step it is at. */
export type CellMessage =
  | { readonly type: 'run'; readonly request: CellRequest }
  | { readonly type: 'prepare'; readonly request: ShardRequest }
  | { readonly type: 'stop' };

export type CellAnswer =
  | { readonly type: 'ready' }
  | { readonly type: 'progress'; readonly line: string }
  | { readonly type: 'result'; readonly result: CellResult | ShardResult }
  | { readonly type: 'error'; readonly message: string; readonly isInput: boolean };

/** Runs cells in processes of their own, so that a crash or a full memory ends one cell alone. */
export interface CellPool {
  /**
   * Takes an idle process, or a new one. On abort the process may end its step and save what it has learned, and is killed
   * when it has not within the pool's time of grace.
   *
   * @throws with the cell's own error, or how its process ended; a `NoMemoryError` where it took more than the processes may have
   *   together while others ran
   */
  run(request: CellRequest, signal: AbortSignal, onLine: (line: string) => void): Promise<CellResult>;
  /** The same for a piece of a preparation, which is killed at once and whose memory is not looked at. */
  prepare(request: ShardRequest, signal: AbortSignal): Promise<ShardResult>;
  close(): void;
}

export interface CellPoolOptions {
  /** All processes together stay below, where the system tells how much a process has. Default: no limit. */
  readonly memoryBytes?: number;
  /** What a process that is asked to stop has to end its step. Default 0: it is killed at once. */
  readonly graceMs?: number;
  /** How often the memory is looked at. */
  readonly watchMs?: number;
  readonly memoryOf?: (pid: number) => Promise<number | undefined>;
  /** Starts a process that serves cells. */
  readonly start?: () => ChildProcess;
}

/** A process is kept for the next cell: starting one costs about a second. */
export function createCellPool(options: CellPoolOptions = {}): CellPool {
  const { memoryBytes, graceMs = 0, watchMs = 250, memoryOf = residentMemory, start = startCellProcess } = options;
  const idle: ChildProcess[] = [];
  const all = new Set<ChildProcess>();
  /** Processes at work, the one that began last at the end, and how each is ended with an error of its own. */
  const busy = new Map<ChildProcess, (error: Error) => void>();
  const begin = (): ChildProcess => {
    const child = start();
    all.add(child);
    child.once('close', () => {
      all.delete(child);
      const at = idle.indexOf(child);
      if (at >= 0) idle.splice(at, 1);
    });
    return child;
  };

  const watch = async (limit: number) => {
    const sizes = new Map<ChildProcess, number>();
    for (const child of [...idle, ...busy.keys()]) {
      sizes.set(child, (child.pid && (await memoryOf(child.pid))) || 0);
    }
    const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
    if (total <= limit) return;
    // What idle processes have kept goes first, then the cell that began last, to come again when there is room.
    const spare = idle.pop();
    if (spare) return void spare.kill('SIGKILL');
    const last = [...busy].at(-1);
    if (!last) return;
    const [child, end] = last;
    const size = sizes.get(child) ?? 0;
    if (busy.size > 1) return end(new NoMemoryError(size));
    const asked = `${mebibytes(size)} MiB, the sweep may have ${mebibytes(limit)} MiB`;
    end(new Error(`the process took ${asked}: raise sweep.memoryMiB, or make the model or its batches smaller`));
  };
  let isWatching = false;
  const timer =
    memoryBytes === undefined
      ? undefined
      : setInterval(() => {
          if (isWatching || busy.size === 0) return;
          isWatching = true;
          watch(memoryBytes).finally(() => {
            isWatching = false;
          });
        }, watchMs);
  timer?.unref();

  const ask = <R>(
    message: Exclude<CellMessage, { readonly type: 'stop' }>,
    signal: AbortSignal,
    onLine: (line: string) => void,
  ) =>
    new Promise<R>((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const child = idle.pop() ?? begin();
      let errors = '';
      let ended: Error | undefined;
      let killer: NodeJS.Timeout | undefined;
      const onError = (chunk: Buffer) => {
        errors = (errors + chunk.toString('utf8')).slice(-2000);
      };
      const onMessage = (answer: CellAnswer) => {
        if (answer.type === 'progress') onLine(answer.line);
        else if (answer.type === 'result') settle(() => resolve(answer.result as R));
        else if (answer.type === 'error') {
          const { message, isInput } = answer;
          settle(() => reject(signal.aborted ? signal.reason : isInput ? new InputError(message) : new Error(message)));
        }
      };
      const onClose = (code: number | null, killedBy: string | null) => {
        const said = errors.trimEnd().split('\n').slice(-3).join('\n');
        const how = killedBy ? `the process was ended by ${killedBy}` : said || `the process ended with ${code}`;
        settle(() => reject(signal.aborted ? signal.reason : (ended ?? new Error(how))));
      };
      const stop = () => {
        if (graceMs <= 0 || message.type !== 'run') return void child.kill('SIGKILL');
        send(child, { type: 'stop' });
        killer = setTimeout(() => child.kill('SIGKILL'), graceMs);
      };
      const settle = (how: () => void) => {
        clearTimeout(killer);
        busy.delete(child);
        child.off('message', onMessage);
        child.off('close', onClose);
        child.stderr?.off('data', onError);
        signal.removeEventListener('abort', stop);
        if (child.connected && !signal.aborted && !ended) idle.push(child);
        how();
      };
      if (message.type === 'run') {
        busy.set(child, (error) => {
          ended = error;
          child.kill('SIGKILL');
        });
      }
      child.on('message', onMessage);
      child.once('close', onClose);
      child.stderr?.on('data', onError);
      signal.addEventListener('abort', stop, { once: true });
      send(child, message);
    });

  return {
    run: (request, signal, onLine) => ask<CellResult>({ type: 'run', request }, signal, onLine),
    prepare: (request, signal) => ask<ShardResult>({ type: 'prepare', request }, signal, () => {}),
    close() {
      clearInterval(timer);
      for (const child of all) {
        child.disconnect?.();
        child.kill('SIGTERM');
      }
    },
  };
}

function startCellProcess(): ChildProcess {
  // Its own group: Ctrl-C reaches this process alone, which ends the others.
  return fork(NIMUE, ['cell-process'], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'], detached: true });
}

function send(child: ChildProcess, message: CellMessage): void {
  child.send(message, (error) => {
    // The process has gone between two cells; its end is on its way.
    if (error) child.kill('SIGKILL');
  });
}

function mebibytes(bytes: number): string {
  return Math.round(bytes / 2 ** 20).toLocaleString('en-US');
}
