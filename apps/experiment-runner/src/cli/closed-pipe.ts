import type { EventEmitter } from 'node:events';
import { EXIT } from './exit-codes.ts';

/**
 * Ends the process when whoever reads its output has had enough, as `head` in `nimue report | head`: Node would print a stack.
 * Any other error of the stream is thrown.
 */
export function endWithReader(
  streams: readonly Pick<EventEmitter, 'on'>[],
  exit: (code: number) => void = process.exit,
): void {
  for (const stream of streams) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      exit(EXIT.closedPipe);
    });
  }
}
