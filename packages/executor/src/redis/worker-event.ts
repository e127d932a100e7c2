/** What happens to a worker. */
export type WorkerEvent =
  | { readonly type: 'begins'; readonly job: string /** 1-based. */; readonly attempt: number }
  | { readonly type: 'done' | 'reused'; readonly job: string }
  /** This attempt; whether another follows is the queue's affair. */
  | { readonly type: 'failed'; readonly job: string; readonly error: string }
  /** A job of a worker that is gone, seen by this one. */
  | { readonly type: 'stalled'; readonly job: string }
  /** What Redis, or the way to it, has; it is tried again. */
  | { readonly type: 'redis'; readonly error: string };

/**
 * An event in one line, for people.
 *
 * @example
 * describeWorkerEvent({ type: 'begins', job: 'a', attempt: 2 }); // → "a: begins, attempt 2"
 */
export function describeWorkerEvent(event: WorkerEvent): string {
  if (event.type === 'redis') return `Redis: ${event.error}`;
  return `${event.job}: ${whatOf(event)}`;
}

function whatOf(event: Exclude<WorkerEvent, { readonly type: 'redis' }>): string {
  if (event.type === 'begins') return event.attempt > 1 ? `begins, attempt ${event.attempt}` : 'begins';
  if (event.type === 'failed') return `failed, ${event.error.split('\n')[0]}`;
  return event.type === 'stalled' ? 'its worker is gone, begins again' : event.type;
}
