import { createNimueContainer, servicesOf } from '@nimue/container';
import { explainAsYaml, explainValues } from '../experiment/explain-experiment.ts';
import { loadWithOrigins } from '../experiment/load-experiment.ts';
import { parseSetting } from '../experiment/setting.ts';

/** `nimue explain <files>` */
export async function explainCommand(
  files: readonly string[],
  options: { readonly set: readonly string[]; readonly json?: boolean },
): Promise<void> {
  const { models, losses, objectives } = servicesOf(createNimueContainer());
  const loaded = loadWithOrigins(files, { models, losses, objectives, settings: options.set.map(parseSetting) });
  process.stdout.write(options.json ? `${JSON.stringify(explainValues(loaded), null, 2)}\n` : explainAsYaml(loaded));
}
