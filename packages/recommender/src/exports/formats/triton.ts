import { columnsOfFeatures, type FeatureConfig } from '@nimue/data';
import { buildGraph } from '../build-graph.ts';
import { describeExport, itemsFile } from '../describe-export.ts';
import type { ExportFormat } from '../export-format.ts';
import { toOnnx } from '../to-onnx.ts';
import { type TritonTensor, tritonConfig } from '../triton/model-config.ts';
import { clientExample, NAME_MODEL, type PrepareConfig, prepareModel } from '../triton/python-models.ts';

const DEFAULT_TOP_K = 20;
const MAX_BATCH_SIZE = 256;
/** Features that look at the times of events. */
const TIMED_FEATURES = new Set(['cyclicTime', 'elapsed', 'itemRecency', 'popularitySoFar', 'targetStatistic']);
const CLIENT_TYPES = {
  TYPE_INT64: { type: 'INT64', numpy: 'int64' },
  TYPE_FP32: { type: 'FP32', numpy: 'float32' },
  TYPE_FP64: { type: 'FP64', numpy: 'float64' },
  TYPE_STRING: { type: 'BYTES', numpy: 'object_' },
} as const;

/**
 * A model repository of Triton Inference Server: an ensemble of three steps, raw item ids and columns of the log → `item_ids` and
 * features (Python), the model (onnxruntime), places → raw item ids (Python); and a client that asks it.
 */
export const triton: ExportFormat = {
  summary: 'a model repository of Triton Inference Server',
  files(opened, options) {
    const topK = options.topK ?? Math.min(DEFAULT_TOP_K, opened.itemIds.length);
    const built = buildGraph(opened, 'milliseconds', { ...options, topK, batchSize: undefined, length: undefined });
    const { graph, maxLength } = built;
    const description = describeExport('triton', opened, built, { ...options, topK });
    const name = nameOf(opened.manifest.label);
    const saved = (opened.pipeline?.toJSON().features ?? []).filter(() => built.columns.length > 0);
    const raw = columnsOfFeatures(saved.map(({ config }) => config as FeatureConfig));
    const hasTimes = built.readsTimes || saved.some(({ config }) => TIMED_FEATURES.has(String(config.name)));
    const items: TritonTensor = { name: 'items', type: 'TYPE_STRING', dims: [-1] };
    const itemIds: TritonTensor = { name: 'item_ids', type: 'TYPE_INT64', dims: [-1] };
    /** What a client gives beside the items. */
    const given: TritonTensor[] = [
      ...(hasTimes ? [{ name: 'timestamps_ms', type: 'TYPE_INT64' as const, dims: [-1] }] : []),
      ...raw.map(({ name, kind }) => ({
        name: `${kind}_${name}`,
        type: kind === 'text' ? ('TYPE_STRING' as const) : ('TYPE_FP64' as const),
        dims: [-1],
      })),
    ];
    /** What the model is given beside the item ids. */
    const types = { int: 'TYPE_INT64', float: 'TYPE_FP32' } as const;
    const extras: TritonTensor[] = graph.inputs
      .filter((input) => input.name !== 'item_ids')
      .map((input) => ({ name: input.name, type: types[input.dtype as 'int' | 'float'], dims: [-1] }));
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
        inputs: [items, ...given],
        outputs: [recommended, { ...scores, name: 'scores' }],
        steps: [
          {
            model: `${name}_prepare`,
            inputs: same([items, ...given]),
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
        inputs: [items, ...given],
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
    const prepare: PrepareConfig = {
      ids: opened.itemIds,
      max_length: maxLength ?? null,
      has_times: hasTimes,
      columns: raw.map(({ name, kind }) => `${kind}_${name}`),
      outputs: extras.map((tensor) => ({
        name: padded(tensor).name,
        of: tensor.name.replace(/^feature_/, ''),
        dtype: tensor.type === 'TYPE_FP32' ? 'float32' : 'int64',
      })),
      features: saved,
    };
    const client = given.map((tensor) => ({ name: tensor.name, ...CLIENT_TYPES[tensor.type] }));
    const repository = 'model_repository';
    return new Map<string, Uint8Array | string>([
      [`${repository}/${name}/config.pbtxt`, config.ensemble],
      // An ensemble has a folder for its version, with nothing to be read in it.
      [`${repository}/${name}/1/README`, 'The steps of this ensemble are the folders beside it.\n'],
      [`${repository}/${name}_prepare/config.pbtxt`, config.prepare],
      [`${repository}/${name}_prepare/1/model.py`, prepareModel(saved.length > 0)],
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
