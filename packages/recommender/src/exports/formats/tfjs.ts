import { buildGraph } from '../build-graph.ts';
import { describeExport, itemsFile } from '../describe-export.ts';
import type { ExportFormat } from '../export-format.ts';
import { toTfjs, WEIGHTS_FILE } from '../to-tfjs.ts';

export const tfjs: ExportFormat = {
  summary: 'a TensorFlow.js graph model',
  files(opened, options) {
    const built = buildGraph(opened, 'secondsAndMilliseconds', options);
    const description = describeExport('tfjs', opened, built, options);
    const { modelJson, weights } = toTfjs(built.graph, description);
    return new Map<string, Uint8Array | string>([
      ['model.json', JSON.stringify(modelJson)],
      [WEIGHTS_FILE, weights],
      ['items.json', itemsFile(opened)],
      ['export.json', `${JSON.stringify(description, null, 2)}\n`],
    ]);
  },
};
