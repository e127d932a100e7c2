import { EXIT } from './exit-codes.ts';

/** The run was stopped by Ctrl-C. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';
}

/** How long a run may take to finish its step and to save what it has learned. */
const GRACE_MS = 30_000;

/**
 * The first Ctrl-C asks the run to stop: it ends after the step it is at, with what it has learned saved, and when it has not
 * within half a minute the process ends. A second Ctrl-C ends it at once.
 *
 * @param onFirst called once, to tell the person
 * @returns the signal, and how to take the handler away
 */
export function watchInterrupt(onFirst: () => void): { readonly signal: AbortSignal; stop(): void } {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const onInterrupt = () => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    onFirst();
    controller.abort(new InterruptedError('stopped by Ctrl-C'));
    timer = setTimeout(() => process.exit(EXIT.interrupted), GRACE_MS);
    timer.unref();
  };
  process.on('SIGINT', onInterrupt);
  return {
    signal: controller.signal,
    stop() {
      process.off('SIGINT', onInterrupt);
      clearTimeout(timer);
    },
  };
}
