import type { Experiment } from './experiment.ts';
import type { Problem } from './problem.ts';
import type { YamlFile } from './yaml-file.ts';

/** Refuses to ask for events that were trained on: some policies hold out the end of a sequence alone. */
export function checkPositions(file: YamlFile, { evaluation, policy }: Experiment): Problem[] {
  if (evaluation.positions === 'last' || !('span' in policy)) return [];
  const path = ['evaluation', 'positions'];
  const message =
    `'every' would ask for events that were trained on: windows.policy ${policy.policy} holds out the end of a ` +
    "sequence alone; choose 'last', or a policy of whole windows such as incremental";
  return [{ place: file.placeOf(path, 'value'), path, message }];
}
