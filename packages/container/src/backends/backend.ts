/** What computes. `auto` in an experiment file is the first of these that loads. */
export const BACKEND_NAMES = ['tensorflow-gpu', 'native', 'tensorflow', 'wasm', 'cpu'] as const;

export type BackendName = (typeof BACKEND_NAMES)[number];
export type BackendChoice = 'auto' | BackendName;

/** Whether a backend loads on this machine. */
export type ProbeResult =
  | {
      readonly available: true;
      /** Device, instruction set, threads: what a person wants to know about it. */
      readonly description: string;
      /** Of the package that computes, and of the library below it, such as `4.22.0 on TensorFlow 2.21.0`. */
      readonly version: string;
      /** What it computes on: `GPU`, `CPU, avx2, 2 threads`. */
      readonly device: string;
    }
  | {
      readonly available: false;
      /** Why it does not load, in one line. */
      readonly reason: string;
      /** What to do to get it, where the reason does not say it. */
      readonly advice?: string;
    };

/** One way to compute. */
export interface BackendProbe {
  readonly name: BackendName;
  /** Loads the backend and registers it under its TensorFlow.js name; never throws because it is absent. */
  load(): Promise<ProbeResult>;
  /** Its name for `tf.setBackend`. */
  readonly tensorflowName: string;
}

/** The backend that was taken. */
export interface ChosenBackend {
  readonly name: BackendName;
  readonly description: string;
  /** One line: what runs, and why not something faster. */
  readonly line: string;
}

/** `reason; advice` */
export function explainAbsence({ reason, advice }: Extract<ProbeResult, { available: false }>): string {
  return advice === undefined ? reason : `${reason}; ${advice}`;
}

/** First line of whatever was thrown. */
export function firstLineOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).trim().split('\n')[0];
}
