import { buildGraph } from '../build-graph.ts';
import { describeExport, itemsFile } from '../describe-export.ts';
import type { ExportFormat } from '../export-format.ts';
import { toOnnx } from '../to-onnx.ts';

export const onnx: ExportFormat = {
  summary: 'model.onnx (operators of version 17)',
  files(opened, options) {
    const built = buildGraph(opened, 'milliseconds', options);
    const description = describeExport('onnx', opened, built, options);
    const metadata = Object.fromEntries(
      Object.entries(description).map(([key, value]) => [
        key,
        typeof value === 'string' ? value : JSON.stringify(value),
      ]),
    );
    return new Map<string, Uint8Array | string>([
      ['model.onnx', toOnnx(built.graph, metadata)],
      ['items.json', itemsFile(opened)],
      ['export.json', `${JSON.stringify(description, null, 2)}\n`],
    ]);
  },
};
