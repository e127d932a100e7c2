import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Divergence } from '../divergence-error.ts';
import { batchTensors } from './batch-tensors.ts';
import { CheckpointError, readCheckpointFile, writeCheckpointFile } from './checkpoint-file.ts';
import { CheckpointWriter } from './checkpoint-writer.ts';
import { decodeRunState, encodeRunState, type RunIdentity, type RunState } from './run-state.ts';
import type { StoredTensor } from './safetensors.ts';

/** The `checkpoints` section of an experiment file. */
export const checkpointsSchema = z.strictObject({
  keepLast: z
    .int()
    .min(1)
    .default(2)
    .describe('Finished windows kept per model and seed; should the newest file be damaged, there is the one before.'),
  everySeconds: z
    .number()
    .min(0)
    .default(120)
    .describe('Seconds of training after which the midst of a window is kept too; Ctrl-C keeps it at once.'),
});

export type CheckpointsConfig = z.output<typeof checkpointsSchema>;

/** Where a run keeps what it needs to go on. */
export interface CheckpointOptions extends Partial<CheckpointsConfig> {
  /** One folder for all models and seeds of a run; made when it is not there. */
  readonly directory: string;
  /** Go on after the newest checkpoint; without one the run begins at the beginning. */
  readonly resume: boolean;
  /** Of the data that the windows are read from; another one is refused. */
  readonly dataChecksum?: string;
}

/**
 * The checkpoints of one model with one seed: `<model>-seed<seed>-window<n>.safetensors` when a window is done,
 * `…-window<n>-step<m>.safetensors` in its midst, `<model>-seed<seed>-best-<metric>.safetensors` for the best moments of the
 * newest window, and `…-diverged.safetensors` for a batch whose loss was none.
 */
export class RunCheckpoints {
  readonly #options: CheckpointOptions;
  readonly #identity: RunIdentity;
  readonly #prefix: string;
  readonly #writer = new CheckpointWriter();
  #savedMs = performance.now();

  constructor(options: CheckpointOptions, identity: RunIdentity) {
    this.#options = options;
    this.#identity = identity;
    this.#prefix = `${encodeURIComponent(identity.model)}-seed${identity.seed}`;
    mkdirSync(options.directory, { recursive: true });
  }

  /** Whether so much time has gone since the last one that the midst of a window should be kept. */
  get isDue(): boolean {
    const { everySeconds = checkpointsSchema.shape.everySeconds.parse(undefined) } = this.#options;
    return performance.now() - this.#savedMs >= 1000 * everySeconds;
  }

  /** Begins to write; training goes on meanwhile. @throws what went wrong with a file before */
  async save(state: RunState): Promise<void> {
    const { directory } = this.#options;
    const path = join(directory, this.#fileOf(state));
    await this.#writer.write(path, encodeRunState(state, this.#identity), () => this.#removeOld(state));
    this.#savedMs = performance.now();
  }

  /** Keeps the best moment of a window by a metric, in place of the one before. */
  async saveBest(metric: string, state: RunState): Promise<void> {
    const path = join(this.#options.directory, `${this.#prefix}-best-${encodeURIComponent(metric)}.safetensors`);
    await this.#writer.write(path, encodeRunState(state, this.#identity));
  }

  /** Keeps the batch of a step that diverged and the weights that it met. @returns the file */
  saveDiverged({ batches, ...where }: Divergence, weights: ReadonlyMap<string, StoredTensor>): string {
    const tensors = new Map([...weights].map(([name, tensor]) => [`weights/${name}`, tensor]));
    for (const [b, batch] of batches.entries()) {
      for (const [name, tensor] of batchTensors(batch)) tensors.set(`batch${b}/${name}`, tensor);
    }
    const path = join(this.#options.directory, `${this.#prefix}-diverged.safetensors`);
    const metadata = Object.fromEntries(Object.entries(where).map(([key, value]) => [key, String(value)]));
    writeCheckpointFile(path, { tensors, metadata: { ...this.#identity, ...metadata } });
    return path;
  }

  /** Resolves when all is on disk. @throws what went wrong */
  settled(): Promise<void> {
    return this.#writer.settled();
  }

  /**
   * The newest state; undefined when there is none or the run is not to be resumed.
   *
   * @throws CheckpointError when the newest file cannot be used, naming the one before it, or belongs to another run
   */
  load(): RunState | undefined {
    const { directory, resume } = this.#options;
    const files = this.#files();
    const newest = files.at(-1);
    for (const file of readdirSync(directory)) {
      // What a killed process began to write.
      if (file.startsWith(`${this.#prefix}-`) && file.endsWith('.tmp')) rmSync(join(directory, file), { force: true });
    }
    if (newest === undefined) return undefined;
    if (!resume) {
      throw new CheckpointError(
        `${directory} holds checkpoints of '${this.#identity.model}' already (${newest}); resume the run, or name another folder`,
      );
    }
    try {
      return this.#read(join(directory, newest));
    } catch (error) {
      const before = files.at(-2);
      const offer = before ? `to go on from ${before}` : 'to begin this model anew';
      throw new CheckpointError(`${error instanceof Error ? error.message : error}; delete it ${offer}`, {
        cause: error,
      });
    }
  }

  #read(path: string): RunState {
    const content = readCheckpointFile(path);
    try {
      return decodeRunState(content, this.#identity);
    } catch (error) {
      throw new CheckpointError(
        `checkpoint ${path} cannot be used: ${error instanceof Error ? error.message : error}`,
        { cause: error },
      );
    }
  }

  #fileOf({ windowIndex, progress }: RunState): string {
    const window = `${this.#prefix}-window${String(windowIndex + 1).padStart(6, '0')}`;
    return progress ? `${window}-step${String(progress.step).padStart(9, '0')}.safetensors` : `${window}.safetensors`;
  }

  /** Of a window that is done nothing from its midst is kept; of one that is not, the last two moments. */
  #removeOld({ progress }: RunState): void {
    const { directory, keepLast = checkpointsSchema.shape.keepLast.parse(undefined) } = this.#options;
    const files = this.#files();
    const midst = files.filter((file) => file.includes('-step'));
    const done = files.filter((file) => !midst.includes(file));
    for (const file of [...(progress ? midst.slice(0, -2) : midst), ...done.slice(0, -keepLast)]) {
      rmSync(join(directory, file), { force: true });
    }
  }

  /** Oldest first: the midst of a window comes before its end. */
  #files(): string[] {
    const { directory } = this.#options;
    if (!existsSync(directory)) return [];
    const rest = /^-window\d{6}(-step\d{9})?\.safetensors$/;
    return readdirSync(directory)
      .filter((file) => file.startsWith(this.#prefix) && rest.test(file.slice(this.#prefix.length)))
      .sort();
  }
}
