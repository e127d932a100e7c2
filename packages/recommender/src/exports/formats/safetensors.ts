import { encodeSafetensors, type StoredTensor } from '@nimue/trainer';
import { RequestError } from '../../request.ts';
import { itemsFile } from '../describe-export.ts';
import type { ExportFormat } from '../export-format.ts';
import { quantizeRows } from '../quantize-rows.ts';

export const safetensors: ExportFormat = {
  summary: 'the weights by their names',
  files(opened, { int8Items = false, int8Loss }) {
    const { manifest, model } = opened;
    if (model.kind !== 'neural') throw new RequestError(`${manifest.label}: '${model.name}' counts and has no weights`);
    const tensors = new Map<string, StoredTensor>();
    for (const [name, values] of model.parameters.read()) {
      const { shape } = model.parameters.variable(name);
      if (!int8Items || !model.parameters.growsWithItems(name) || shape.length !== 2) {
        tensors.set(name, { shape, values });
        continue;
      }
      const quantized = quantizeRows(values, shape[1]);
      tensors.set(`${name}.int8`, { shape, values: quantized.values });
      tensors.set(`${name}.scales`, { shape: [shape[0]], values: quantized.scales });
    }
    const config = { ...manifest, files: undefined, int8Items: int8Items ? (int8Loss ?? true) : false };
    return new Map<string, Uint8Array | string>([
      ['model.safetensors', encodeSafetensors({ tensors, metadata: { format: 'pt', model: model.name } })],
      ['items.json', itemsFile(opened)],
      ['config.json', `${JSON.stringify(config, null, 2)}\n`],
    ]);
  },
};
