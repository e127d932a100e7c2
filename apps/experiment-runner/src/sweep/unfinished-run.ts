import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { assertCanResume } from '../run/reopen-run-folder.ts';

/** The newest run in a cell's folder that was begun and not finished: `<cell>/<name>/<run>`. */
export async function findUnfinishedRun(cellFolder: string): Promise<string | undefined> {
  const foldersIn = async (folder: string) => {
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(folder, name));
  };
  const runs = (await Promise.all((await foldersIn(cellFolder)).map(foldersIn))).flat();
  // The name of a run begins with its time.
  runs.sort().reverse();
  for (const run of runs) {
    const canResume = await assertCanResume(run).then(
      () => true,
      () => false,
    );
    if (canResume) return run;
  }
  return undefined;
}
