import { InputError } from '../input-error.ts';

/** A step that depends on the user's files and choices alone: what it throws is an InputError, unless it is a bug. */
export async function asInput<T>(prefix: string, step: () => T | Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    const isBug = error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError;
    const isStop = error instanceof Error && error.name === 'InterruptedError';
    if (!(error instanceof Error) || error instanceof InputError || isBug || isStop) throw error;
    throw new InputError(`${prefix}${error.message}`, { cause: error });
  }
}

/** Gives up waiting when the signal comes; the step itself cannot be stopped. */
export async function stoppable<T>(step: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return step;
  signal.throwIfAborted();
  return new Promise<T>((resolve, reject) => {
    const stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    step.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
