import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { ShardJob, ShardResult } from '@nimue/data';
import { InputError } from '../input-error.ts';

const NIMUE = fileURLToPath(new URL('../../bin/nimue.mjs', import.meta.url));

/** What a cell's process is asked. */
export interface CellRequest {
  /** The whole experiment file, as text. */
  readonly experiment: string;
  /** The folder of the prepared data set. */
  readonly prepared: string;
  /** Where the folder of the run is made. */
  readonly out: string;
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

export type CellAnswer =
  | { readonly type: 'ready' }
  | { readonly type: 'progress'; readonly line: string }
  | { readonly type: 'result'; readonly result: CellResult | ShardResult }
  | { readonly type: 'error'; readonly message: string; readonly isInput: boolean };

/** Runs cells in processes of their own, so that a crash or a full memory ends one cell alone. */
export interface CellPool {
  /**
   * Takes an idle process, or a new one. On abort the process is killed.
   *
   * @throws with the cell's own error, or how its process ended
   */
  run(request: CellRequest, signal: AbortSignal, onLine: (line: string) => void): Promise<CellResult>;
  /** The same for a piece of a preparation. */
  prepare(request: ShardRequest, signal: AbortSignal): Promise<ShardResult>;
  close(): void;
}

/** A process is kept for the next cell: starting one costs about a second. */
export function createCellPool(): CellPool {
  const idle: ChildProcess[] = [];
  const all = new Set<ChildProcess>();
  const start = (): ChildProcess => {
    // Its own group: Ctrl-C reaches this process alone, which ends the others.
    const child = fork(NIMUE, ['cell-process'], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'], detached: true });
    all.add(child);
    child.once('close', () => {
      all.delete(child);
      const at = idle.indexOf(child);
      if (at >= 0) idle.splice(at, 1);
    });
    return child;
  };
  const ask = <R>(request: CellRequest | ShardRequest, signal: AbortSignal, onLine: (line: string) => void) =>
    new Promise<R>((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const child = idle.pop() ?? start();
      let errors = '';
      const onError = (chunk: Buffer) => {
        errors = (errors + chunk.toString('utf8')).slice(-2000);
      };
      const onMessage = (answer: CellAnswer) => {
        if (answer.type === 'progress') onLine(answer.line);
        else if (answer.type === 'result') settle(() => resolve(answer.result as R));
        else if (answer.type === 'error') {
          settle(() => reject(answer.isInput ? new InputError(answer.message) : new Error(answer.message)));
        }
      };
      const onClose = (code: number | null, killedBy: string | null) => {
        const said = errors.trimEnd().split('\n').slice(-3).join('\n');
        const how = killedBy ? `the process was ended by ${killedBy}` : said || `the process ended with ${code}`;
        settle(() => reject(signal.aborted ? signal.reason : new Error(how)));
      };
      const stop = () => child.kill('SIGKILL');
      const settle = (how: () => void) => {
        child.off('message', onMessage);
        child.off('close', onClose);
        child.stderr?.off('data', onError);
        signal.removeEventListener('abort', stop);
        if (child.connected && !signal.aborted) idle.push(child);
        how();
      };
      child.on('message', onMessage);
      child.once('close', onClose);
      child.stderr?.on('data', onError);
      signal.addEventListener('abort', stop, { once: true });
      child.send(request, (error) => {
        // The process has gone between two cells; its end is on its way.
        if (error) child.kill('SIGKILL');
      });
    });
  return {
    run: (request, signal, onLine) => ask<CellResult>(request, signal, onLine),
    prepare: (request, signal) => ask<ShardResult>(request, signal, () => {}),
    close() {
      for (const child of all) {
        child.disconnect?.();
        child.kill('SIGTERM');
      }
    },
  };
}
