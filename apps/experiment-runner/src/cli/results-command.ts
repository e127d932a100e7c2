import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../input-error.ts';
import { collectResults, mergeResults } from '../results/collect-results.ts';
import { readKeptRows, writeKeptRows } from '../results/kept-rows.ts';
import { readResultsDefinition } from '../results/results-definition.ts';
import { renderResults } from '../results/results-page.ts';

/**
 * `nimue report --results <folder>`: writes `<data set>.md` beside every definition `<data set>.yaml` of the folder, and
 * `<data set>.rows.jsonl`, the rows of the table, which stay when the runs' folders are gone.
 */
export async function resultsCommand(
  folder: string,
  runsDirectory: string,
  { json }: { readonly json?: boolean } = {},
): Promise<void> {
  const log = json ? process.stderr : process.stdout;
  const names = await readdir(folder).catch(() => {
    throw new InputError(`--results ${folder}: not a folder; expected one with definitions such as ml-1m.yaml`);
  });
  const definitions = names.filter((name) => name.endsWith('.yaml')).sort();
  if (definitions.length === 0) throw new InputError(`--results ${folder}: no definition (*.yaml) in it`);
  const written: { readonly page: string; readonly numModels: number }[] = [];
  for (const name of definitions) {
    const definition = await readResultsDefinition(join(folder, name));
    const page = join(folder, name.replace(/\.yaml$/, '.md'));
    const keptRows = page.replace(/\.md$/, '.rows.jsonl');
    const collected = await collectResults(runsDirectory, definition);
    const rows = mergeResults(definition, await readKeptRows(keptRows), collected);
    if (rows.length === 0) {
      // A table of earlier runs is worth more than an empty one.
      log.write(`${page}: left as it is, ${runsDirectory} has no finished run of it\n`);
      continue;
    }
    if (collected.length > 0) await writeKeptRows(keptRows, rows);
    await writeFile(page, renderResults(definition, rows));
    log.write(`${page}: ${rows.length} models, ${collected.length} of them in ${runsDirectory}\n`);
    written.push({ page, numModels: rows.length });
  }
  if (json) process.stdout.write(`${JSON.stringify(written, null, 2)}\n`);
}
