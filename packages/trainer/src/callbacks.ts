import type { TrainerListener } from './trainer-events.ts';

/** Follows a run through its typed events: a progress bar, lines of results, event files, the record for a report. */
export interface TrainerCallback {
  readonly onEvent: TrainerListener;
  /** The run has come to its end; not called when it was stopped or failed. */
  onDone?(): void | Promise<void>;
}

/**
 * One listener for several callbacks, which hear every event in their order.
 *
 * @example
 * const heard = [];
 * const callback = (name) => ({ onEvent: ({ type }) => heard.push(`${name} ${type}`) });
 * listenerOf([callback('bar'), callback('file')])({ type: 'windowDone' });
 * heard; // → ["bar windowDone","file windowDone"]
 */
export function listenerOf(callbacks: readonly TrainerCallback[]): TrainerListener {
  return (event) => {
    for (const { onEvent } of callbacks) onEvent(event);
  };
}
