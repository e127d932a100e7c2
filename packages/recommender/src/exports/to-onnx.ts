import onnxProto from 'onnx-proto';
import type { Constant, Dimension, Dtype, Graph, GraphInput, GraphNode, Operation, Value } from './graph.ts';

const { onnx } = onnxProto;

/** Operators of version 17 (ONNX 1.12), the first with `LayerNormalization`. */
const OPSET = 17;
const IR_VERSION = 8;
/** A protocol buffer can hold no more. */
const MAX_BYTES = 2 ** 31 - 1;

const TYPES = { float: 1, double: 11, int: 7, int8: 3, bool: 9 } as const satisfies Record<Dtype, number>;
const ATTRIBUTE = { FLOAT: 1, INT: 2, STRING: 3, GRAPH: 5, INTS: 7 } as const;

type NodeProto = {
  opType: string;
  name: string;
  input: string[];
  output: string[];
  attribute?: object[];
};

/** @param metadata text by name, kept in the file. @throws when it would be larger than the format allows */
export function toOnnx(graph: Graph, metadata: Readonly<Record<string, string>>): Uint8Array {
  const nodes: NodeProto[] = [];
  const writer = new OnnxWriter(graph, nodes);
  for (const node of graph.nodes) writer.add(node);
  for (const { from, name } of graph.outputs) nodes.push(nodeOf('Identity', [from], [name]));
  const used = new Set(nodes.flatMap(({ input }) => input));
  const constants = [...graph.constants.values()].filter(({ name }) => used.has(name) || writer.outerNames.has(name));
  const size = constants.reduce((sum, { values }) => sum + values.byteLength, 0);
  if (size > MAX_BYTES) {
    throw new Error(
      `onnx: the weights are ${size} bytes, more than a file of this format holds; export with int8 items`,
    );
  }
  const model = onnx.ModelProto.create({
    irVersion: IR_VERSION,
    producerName: 'nimue',
    opsetImport: [{ domain: '', version: OPSET }],
    metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
    graph: {
      name: 'nimue',
      node: nodes,
      initializer: constants.map(tensorOf),
      input: graph.inputs.map(infoOf),
      output: graph.outputs.map(infoOf),
    },
  });
  return onnx.ModelProto.encode(model).finish();
}

/** Puts nodes of the graph into nodes of ONNX. */
class OnnxWriter {
  /** Constants that only nodes within a node read. */
  readonly outerNames = new Set<string>();
  readonly #graph: Graph;
  readonly #nodes: NodeProto[];
  #count = 0;

  constructor(graph: Graph, nodes: NodeProto[]) {
    this.#graph = graph;
    this.#nodes = nodes;
  }

  add({ operation, inputs, outputs }: GraphNode): void {
    const [output] = outputs.map(({ name }) => name);
    const names = inputs.map(({ name }) => name);
    const write = (opType: string, input = names, attributes: object[] = []) => {
      this.#nodes.push(nodeOf(opType, input, [output], attributes));
    };
    switch (operation.op) {
      case 'gelu':
        this.#gelu(names[0], output);
        return;
      case 'matMul':
        if (operation.isFlat && operation.transposeB) write('Gemm', names, [intAttribute('transB', 1)]);
        else if (!operation.transposeB) write('MatMul');
        else write('MatMul', [names[0], this.#emit('Transpose', [names[1]], [intsAttribute('perm', [0, 2, 1])])]);
        return;
      case 'cast':
        write('Cast', names, [intAttribute('to', TYPES[operation.to])]);
        return;
      case 'transpose':
        write('Transpose', names, [intsAttribute('perm', operation.permutation)]);
        return;
      case 'sum':
        write('ReduceSum', [names[0], this.#ints([operation.axis])], [intAttribute('keepdims', 0)]);
        return;
      case 'softmax':
        write('Softmax', names, [intAttribute('axis', -1)]);
        return;
      case 'concat':
        write('Concat', names, [intAttribute('axis', operation.axis)]);
        return;
      case 'slice': {
        const { axis, from, to = 2 ** 31 - 1 } = operation;
        write('Slice', [names[0], ...[from, to, axis].map((value) => this.#ints([value]))]);
        return;
      }
      case 'expand':
        write('Unsqueeze', [names[0], this.#ints([operation.axis])]);
        return;
      case 'squeeze':
        write('Squeeze', [names[0], this.#ints([operation.axis])]);
        return;
      case 'range': {
        const shape = this.#emit('Shape', names);
        const size = this.#emit('Gather', [shape, this.#int(operation.axis)]);
        write('Range', [this.#int(0), size, this.#int(1)]);
        return;
      }
      case 'layerNorm':
        write('LayerNormalization', names, [
          intAttribute('axis', -1),
          { name: 'epsilon', type: ATTRIBUTE.FLOAT, f: operation.epsilon },
        ]);
        return;
      case 'gru':
        this.#gru(inputs, output, operation.width);
        return;
      case 'linearRecurrence':
        this.#linearRecurrence(names, output, operation.size);
        return;
      case 'topK':
        this.#nodes.push(
          nodeOf(
            'TopK',
            [names[0], this.#ints([operation.k])],
            outputs.map(({ name }) => name),
          ),
        );
        return;
      default:
        write(OP_TYPES[operation.op]);
        return;
    }
  }

  /** x Φ(x) = x (1 + erf(x / √2)) / 2 */
  #gelu(x: string, output: string): void {
    const error = this.#emit('Erf', [this.#emit('Mul', [x, this.#float(Math.SQRT1_2)])]);
    const doubled = this.#emit('Add', [error, this.#float(1)]);
    this.#nodes.push(nodeOf('Mul', [this.#emit('Mul', [x, this.#float(0.5)]), doubled], [output]));
  }

  /** Gates in the order update, reset, candidate; the reset gate scales the recurrent product with its bias. */
  #gru([x, ...weights]: readonly Value[], output: string, width: number): void {
    const [inputWeights, recurrentWeights, inputBias, recurrentBias] = weights as Constant[];
    const stem = inputWeights.name.replace(/\.inputWeights$/, '');
    const rows = (constant: Constant) => gateRows(constant, width);
    const w = this.#graph.constant(`${stem}.W`, [1, 3 * width, inputWeights.shape[0]], rows(inputWeights));
    const r = this.#graph.constant(`${stem}.R`, [1, 3 * width, width], rows(recurrentWeights));
    const biases = Float32Array.from([...rows(inputBias), ...rows(recurrentBias)]);
    const b = this.#graph.constant(`${stem}.B`, [1, 6 * width], biases);
    const perm = intsAttribute('perm', [1, 0, 2]);
    const states = this.#emit(
      'GRU',
      [this.#emit('Transpose', [x.name], [perm]), w.name, r.name, b.name],
      [intAttribute('hidden_size', width), intAttribute('linear_before_reset', 1)],
    );
    this.#nodes.push(nodeOf('Transpose', [this.#emit('Squeeze', [states, this.#ints([1])])], [output], [perm]));
  }

  #linearRecurrence([x, decay]: readonly string[], output: string, size: number): void {
    const perm = intsAttribute('perm', [1, 0, 2]);
    const byStep = this.#emit('Transpose', [x], [perm]);
    // [B, 2 S] of zeros
    const first = this.#emit('Squeeze', [
      this.#emit('Slice', [x, this.#ints([0]), this.#ints([1]), this.#ints([1])]),
      this.#ints([1]),
    ]);
    const zeros = this.#emit('Mul', [first, this.#float(0)]);
    const part = (from: string, axis: number, start: number, end: number) =>
      this.#emit('Slice', [from, this.#ints([start]), this.#ints([end]), this.#ints([axis])]);
    const real = part(decay, 0, 0, 1);
    const imaginary = part(decay, 0, 1, 2);
    const body: NodeProto[] = [];
    const step = (opType: string, input: string[], attributes?: object[]): string => {
      const name = `${output}/${opType}_${body.length}`;
      body.push(nodeOf(opType, input, [name], attributes));
      return name;
    };
    const [state, input] = [`${output}/state`, `${output}/input`];
    const half = (start: number, end: number) =>
      step('Slice', [state, this.#ints([start], true), this.#ints([end], true), this.#ints([1], true)]);
    const [a, b] = [half(0, size), half(size, 2 * size)];
    const turned = step(
      'Concat',
      [
        step('Sub', [step('Mul', [a, real]), step('Mul', [b, imaginary])]),
        step('Add', [step('Mul', [a, imaginary]), step('Mul', [b, real])]),
      ],
      [intAttribute('axis', 1)],
    );
    const next = step('Add', [turned, input]);
    const kept = step('Identity', [next]);
    const info = (name: string) => ({ name, type: { tensorType: { elemType: TYPES.float } } });
    const [finalState, states] = [`${output}/final`, `${output}/states`];
    this.#nodes.push(
      nodeOf(
        'Scan',
        [zeros, byStep],
        [finalState, states],
        [
          intAttribute('num_scan_inputs', 1),
          {
            name: 'body',
            type: ATTRIBUTE.GRAPH,
            g: {
              name: `${output}/step`,
              node: body,
              input: [info(state), info(input)],
              output: [info(next), info(kept)],
            },
          },
        ],
      ),
      nodeOf('Transpose', [states], [output], [perm]),
    );
  }

  #emit(opType: string, input: string[], attributes: object[] = []): string {
    const name = `onnx_${this.#count++}`;
    this.#nodes.push(nodeOf(opType, input, [name], attributes));
    return name;
  }

  #ints(values: readonly number[], isRead = false): string {
    const { name } = this.#graph.constant(`ints.${values.join('.')}`, [values.length], Int32Array.from(values));
    if (isRead) this.outerNames.add(name);
    return name;
  }

  #int(value: number): string {
    return this.#graph.number(value, { dtype: 'int' }).name;
  }

  #float(value: number): string {
    return this.#graph.number(value).name;
  }
}

const OP_TYPES = {
  sigmoid: 'Sigmoid',
  tanh: 'Tanh',
  exp: 'Exp',
  log: 'Log',
  abs: 'Abs',
  floor: 'Floor',
  relu: 'Relu',
  add: 'Add',
  sub: 'Sub',
  mul: 'Mul',
  div: 'Div',
  maximum: 'Max',
  minimum: 'Min',
  less: 'Less',
  lessEqual: 'LessOrEqual',
  equal: 'Equal',
  gather: 'Gather',
} as const satisfies Partial<Record<Operation['op'], string>>;

/** [I, 3 D] or [3 D], gates reset, update, candidate → [3 D, I] or [3 D], gates update, reset, candidate. */
function gateRows({ shape, values }: Constant, width: number): Float32Array {
  const columns = shape.length === 2 ? shape[0] : 1;
  const rows = new Float32Array(values.length);
  for (let gate = 0; gate < 3; gate++) {
    const from = [1, 0, 2][gate];
    for (let d = 0; d < width; d++) {
      for (let i = 0; i < columns; i++) {
        rows[(gate * width + d) * columns + i] = values[i * 3 * width + from * width + d];
      }
    }
  }
  return rows;
}

function nodeOf(opType: string, input: string[], output: string[], attribute: object[] = []): NodeProto {
  return { opType, name: `${opType}:${output[0]}`, input, output, ...(attribute.length > 0 && { attribute }) };
}

function intAttribute(name: string, i: number): object {
  return { name, type: ATTRIBUTE.INT, i };
}

function intsAttribute(name: string, ints: readonly number[]): object {
  return { name, type: ATTRIBUTE.INTS, ints };
}

function tensorOf({ name, dtype, shape, values }: Constant): object {
  return { name, dims: [...shape], dataType: TYPES[dtype], rawData: bytesOf(dtype, values) };
}

function bytesOf(dtype: Dtype, values: Constant['values']): Uint8Array {
  const wide =
    dtype === 'int'
      ? BigInt64Array.from(values, BigInt)
      : dtype === 'double'
        ? Float64Array.from(values as Float32Array)
        : values;
  return new Uint8Array(wide.buffer, wide.byteOffset, wide.byteLength);
}

function infoOf({ name, dtype, shape }: GraphInput): object {
  return { name, type: { tensorType: { elemType: TYPES[dtype], shape: { dim: shape.map(dimensionOf) } } } };
}

function dimensionOf(dimension: Dimension): object {
  return typeof dimension === 'number' ? { dimValue: dimension } : { dimParam: dimension };
}
