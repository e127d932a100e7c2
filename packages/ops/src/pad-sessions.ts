import { maxSessionLength } from '@nimue/batch';

/**
 * For the references of jagged ops: where each packed row goes in a padded [B, L] grid, and back.
 *
 * `toGrid` [B · L] holds the packed row of every grid cell, 0 for padding (whatever is read there must not reach a
 * result); `toPacked` [T] holds the grid cell of every packed row.
 */
export interface SessionGrid {
  readonly numSessions: number;
  readonly length: number;
  readonly toGrid: Int32Array;
  readonly toPacked: Int32Array;
}

export function padSessions(offsets: Int32Array): SessionGrid {
  const numSessions = offsets.length - 1;
  const length = maxSessionLength(offsets);
  const toGrid = new Int32Array(numSessions * length);
  const toPacked = new Int32Array(offsets[numSessions]);
  for (let b = 0; b < numSessions; b++) {
    for (let t = offsets[b]; t < offsets[b + 1]; t++) {
      const cell = b * length + (t - offsets[b]);
      toGrid[cell] = t;
      toPacked[t] = cell;
    }
  }
  return { numSessions, length, toGrid, toPacked };
}
