import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { WindowResult } from '../trainer-events.ts';
import { CheckpointError, readCheckpointFile, writeCheckpointFile } from './checkpoint-file.ts';
import type { StoredTensor } from './safetensors.ts';

/** Where a run keeps what it needs to go on. */
export interface CheckpointOptions {
  /** One folder for all models and seeds of a run; made when it is not there. */
  readonly directory: string;
  /** Go on after the newest checkpoint; without one the run begins at the beginning. */
  readonly resume: boolean;
  /** Windows kept per model and seed. Default 2: should the newest file be damaged, there is the one before. */
  readonly keepLast?: number;
  /** Of the data that the windows are read from; another one is refused. */
  readonly dataChecksum?: string;
}

/** What a run must have in common with the checkpoint that it goes on from. */
export type RunIdentity = Readonly<Record<'model' | 'seed' | 'training' | 'plan' | 'evaluation' | 'data', string>>;

/** A model after a window, and all that came out so far. Random choices are functions of seed and window: no state of theirs is kept. */
export interface RunState {
  /** 0-based step of the plan that is done. */
  readonly windowIndex: number;
  readonly optimizerStep: number;
  /** Raw item code of every item, id after id. */
  readonly itemCodes: Int32Array;
  /** By name; none for models that count. */
  readonly weights: ReadonlyMap<string, StoredTensor>;
  /** By `parameter/state`, rows of touched-rows optimizers included. */
  readonly optimizer: ReadonlyMap<string, Float32Array>;
  /** Moving average of the weights. */
  readonly average: ReadonlyMap<string, Float32Array>;
  readonly results: readonly WindowResult[];
}

const FORMAT = 'nimue run 1';

/** The checkpoints of one model with one seed: `<model>-seed<seed>-window<n>.safetensors`. */
export class RunCheckpoints {
  readonly #options: CheckpointOptions;
  readonly #identity: RunIdentity;
  readonly #prefix: string;

  constructor(options: CheckpointOptions, identity: RunIdentity) {
    this.#options = options;
    this.#identity = identity;
    this.#prefix = `${encodeURIComponent(identity.model)}-seed${identity.seed}-window`;
    mkdirSync(options.directory, { recursive: true });
  }

  save(state: RunState): void {
    const { directory, keepLast = 2 } = this.#options;
    const tensors = new Map<string, StoredTensor>([
      ['vocabulary', { shape: [state.itemCodes.length], values: state.itemCodes }],
    ]);
    for (const [name, tensor] of state.weights) tensors.set(`weights/${name}`, tensor);
    for (const part of ['optimizer', 'average'] as const) {
      for (const [name, values] of state[part]) tensors.set(`${part}/${name}`, { shape: [values.length], values });
    }
    const results = state.results.map(({ targetValues, ...result }, i) => {
      for (const [metric, values] of Object.entries(targetValues ?? {})) {
        tensors.set(`targets/${i}/${metric}`, { shape: [values.length], values });
      }
      return result;
    });
    const { windowIndex, optimizerStep } = state;
    const metadata = {
      format: FORMAT,
      ...this.#identity,
      windowIndex: String(windowIndex),
      optimizerStep: String(optimizerStep),
      results: JSON.stringify(results),
    };
    writeCheckpointFile(join(directory, this.#fileOf(windowIndex)), { tensors, metadata });
    for (const file of this.#files().slice(0, -keepLast)) rmSync(join(directory, file));
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
    const { tensors, metadata } = readCheckpointFile(path);
    const refuse = (reason: string) => new CheckpointError(`checkpoint ${path} cannot be used: ${reason}`);
    if (metadata.format !== FORMAT) throw refuse(`its format is '${metadata.format}', expected '${FORMAT}'`);
    for (const [key, expected] of Object.entries(this.#identity)) {
      if (metadata[key] === expected) continue;
      throw refuse(`it is of another run: its ${key} is ${metadata[key]}, expected ${expected}`);
    }
    const under = (part: string) =>
      [...tensors].flatMap(([name, tensor]) =>
        name.startsWith(`${part}/`) ? [[name.slice(part.length + 1), tensor] as const] : [],
      );
    const floats = (part: string) =>
      new Map(under(part).map(([name, { values }]) => [name, Float32Array.from(values)] as const));
    const results = (JSON.parse(metadata.results) as WindowResult[]).map((result, i): WindowResult => {
      const values = under(`targets/${i}`).map(([metric, tensor]) => [metric, Float64Array.from(tensor.values)]);
      return values.length > 0 ? { ...result, targetValues: Object.fromEntries(values) } : result;
    });
    return {
      windowIndex: Number(metadata.windowIndex),
      optimizerStep: Number(metadata.optimizerStep),
      itemCodes: Int32Array.from(tensors.get('vocabulary')?.values ?? []),
      weights: new Map(under('weights')),
      optimizer: floats('optimizer'),
      average: floats('average'),
      results,
    };
  }

  #fileOf(windowIndex: number): string {
    return `${this.#prefix}${String(windowIndex + 1).padStart(6, '0')}.safetensors`;
  }

  /** Oldest first. */
  #files(): string[] {
    const { directory } = this.#options;
    if (!existsSync(directory)) return [];
    return readdirSync(directory)
      .filter((file) => file.startsWith(this.#prefix) && /^\d{6}\.safetensors$/.test(file.slice(this.#prefix.length)))
      .sort();
  }
}
