import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';

const IS_COMPILED = import.meta.url.endsWith('.js');

/**
 * A compiled file of the package for another thread; run from its source, the package must have been built too.
 *
 * @param path within the sources, such as `read/sort-worker.js`
 */
export function compiledFile(path: string): URL {
  return new URL(IS_COMPILED ? `../${path}` : `../../dist/${path}`, import.meta.url);
}

/** Whether a helper thread is worth while: this is the compiled package, with its files (no bundle), on two processors or more. */
export function mayHaveHelper(): boolean {
  return IS_COMPILED && availableParallelism() > 1 && existsSync(compiledFile('read/sort-worker.js'));
}
