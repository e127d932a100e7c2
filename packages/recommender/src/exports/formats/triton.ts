import { buildGraph } from '../build-graph.ts';
import { describeExport, itemsFile } from '../describe-export.ts';
import type { ExportFormat } from '../export-format.ts';
import { toOnnx } from '../to-onnx.ts';
import { type TritonTensor, tritonConfig } from '../triton/model-config.ts';
import { clientExample, NAME_MODEL, PREPARE_MODEL } from '../triton/python-models.ts';

const DEFAULT_TOP_K = 20;
const MAX_BATCH_SIZE = 256;

/**
 * A model repository of Triton Inference Server: an ensemble of three steps, raw item ids → `item_ids` (Python), the model
 * (onnxruntime), places → raw item ids (Python); and a client that asks it.
 */
export const triton: ExportFormat = {
  summary: 'a model repository of Triton Inference Server',
  files(opened, options) {
    const topK = options.topK ?? Math.min(DEFAULT_TOP_K, opened.itemIds.length);
    const built = buildGraph(opened, 'milliseconds', { ...options, topK, batchSize: undefined, length: undefined });
    const { graph, maxLength } = built;
    const description = describeExport('triton', opened, built, { ...options, topK });
    const name = nameOf(opened.manifest.label);
    const types = { int: 'TYPE_INT64', float: 'TYPE_FP32' } as const;
    const extras: TritonTensor[] = graph.inputs
      .filter((input) => input.name !== 'item_ids')
      .map((input) => ({ name: input.name, type: types[input.dtype as 'int' | 'float'], dims: [-1] }));
    const items: TritonTensor = { name: 'items', type: 'TYPE_STRING', dims: [-1] };
    const itemIds: TritonTensor = { name: 'item_ids', type: 'TYPE_INT64', dims: [-1] };
    const padded = (tensor: TritonTensor) => ({ ...tensor, name: `padded_${tensor.name}` });
    const topItems: TritonTensor = { name: 'top_items', type: 'TYPE_INT64', dims: [topK] };
    const recommended: TritonTensor = { name: 'recommended', type: 'TYPE_STRING', dims: [topK] };
    const scores: TritonTensor = { name: 'top_scores', type: 'TYPE_FP32', dims: [topK] };
    const same = (tensors: readonly TritonTensor[]) =>
      Object.fromEntries(tensors.map((tensor) => [tensor.name, tensor.name]));
    const size = { maxBatchSize: MAX_BATCH_SIZE };
    const config = {
      ensemble: tritonConfig({
        name,
        backend: 'ensemble',
        ...size,
        inputs: [items, ...extras],
        outputs: [recommended, { ...scores, name: 'scores' }],
        steps: [
          {
            model: `${name}_prepare`,
            inputs: same([items, ...extras]),
            outputs: same([itemIds, ...extras.map(padded)]),
          },
          {
            model: `${name}_model`,
            inputs: {
              item_ids: 'item_ids',
              ...Object.fromEntries(extras.map((tensor) => [tensor.name, padded(tensor).name])),
            },
            outputs: { top_items: 'top_items', top_scores: 'scores' },
          },
          { model: `${name}_name`, inputs: same([topItems]), outputs: same([recommended]) },
        ],
      }),
      prepare: tritonConfig({
        name: `${name}_prepare`,
        backend: 'python',
        ...size,
        inputs: [items, ...extras],
        outputs: [itemIds, ...extras.map(padded)],
      }),
      model: tritonConfig({
        name: `${name}_model`,
        backend: 'onnxruntime',
        ...size,
        inputs: [itemIds, ...extras],
        outputs: [topItems, scores],
      }),
      name: tritonConfig({
        name: `${name}_name`,
        backend: 'python',
        ...size,
        inputs: [topItems],
        outputs: [recommended],
      }),
    };
    const prepare = {
      ids: opened.itemIds,
      max_length: maxLength ?? null,
      columns: extras.map((tensor) => tensor.name),
    };
    const client = extras.map((tensor) => ({
      name: tensor.name,
      type: tensor.type === 'TYPE_FP32' ? 'FP32' : 'INT64',
      numpy: tensor.type === 'TYPE_FP32' ? 'float32' : 'int64',
    }));
    const repository = 'model_repository';
    return new Map<string, Uint8Array | string>([
      [`${repository}/${name}/config.pbtxt`, config.ensemble],
      // An ensemble has a folder for its version, with nothing to be read in it.
      [`${repository}/${name}/1/README`, 'The steps of this ensemble are the folders beside it.\n'],
      [`${repository}/${name}_prepare/config.pbtxt`, config.prepare],
      [`${repository}/${name}_prepare/1/model.py`, PREPARE_MODEL],
      [`${repository}/${name}_prepare/1/prepare.json`, JSON.stringify(prepare)],
      [`${repository}/${name}_model/config.pbtxt`, config.model],
      [`${repository}/${name}_model/1/model.onnx`, toOnnx(graph, { label: opened.manifest.label })],
      [`${repository}/${name}_name/config.pbtxt`, config.name],
      [`${repository}/${name}_name/1/model.py`, NAME_MODEL],
      [`${repository}/${name}_name/1/items.json`, itemsFile(opened)],
      ['client.py', clientExample(name, client)],
      ['export.json', `${JSON.stringify(description, null, 2)}\n`],
    ]);
  },
};

/** A name for folders and requests: letters, digits and underscores. */
function nameOf(label: string): string {
  return (
    label
      .replace(/[^A-Za-z0-9]+/g, '_')
      .replace(/^_+|_+$/g, '')
      .toLowerCase() || 'model'
  );
}
