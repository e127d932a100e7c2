import { readQueue, retryDeadLetters } from '@nimue/executor';
import { asInput } from '../run/input-step.ts';

export interface QueueCommandOptions {
  readonly redis: string;
  readonly queue: string;
  readonly retry?: boolean;
  readonly json?: boolean;
}

/** `nimue queue`: what waits, runs and has failed for good. */
export async function queueCommand(options: QueueCommandOptions): Promise<void> {
  const settings = { url: options.redis, queue: options.queue };
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  if (options.retry) {
    const numQueued = await asInput('', () => retryDeadLetters(settings));
    if (!options.json) say(`queued again: ${numQueued}`);
  }
  const state = await asInput('', () => readQueue(settings));
  if (options.json) return say(JSON.stringify(state, null, 2));
  const { waiting, running, delayed, done, failed } = state.counts;
  say(`${waiting} waiting, ${running} running, ${delayed} to be tried again, ${done} done, ${failed} failed`);
  for (const { id, error, attempts, failedAt } of state.deadLetters) {
    say(`${id} at ${failedAt} after ${attempts} attempt${attempts === 1 ? '' : 's'}: ${error.split('\n')[0]}`);
  }
}
