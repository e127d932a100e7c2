import { InputError } from '../input-error.ts';
import type { CellPool, CellRequest, CellResult } from './cell-pool.ts';

/**
 * Runs a cell, going on from the run that it names; where that one cannot be used, such as one whose checkpoint is damaged, the cell
 * begins anew.
 *
 * @param onRefused hears why, before the cell begins anew
 */
export async function runResuming(
  pool: CellPool,
  request: CellRequest,
  signal: AbortSignal,
  onLine: (line: string) => void,
  onRefused: (message: string) => Promise<void> | void = onLine,
): Promise<CellResult> {
  const { resume, ...anew } = request;
  try {
    return await pool.run(request, signal, onLine);
  } catch (error) {
    if (resume === undefined || !(error instanceof InputError) || signal.aborted) throw error;
    await onRefused(error.message);
    return pool.run(anew, signal, onLine);
  }
}
