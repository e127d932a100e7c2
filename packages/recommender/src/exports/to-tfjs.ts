import type { Constant, Dtype, Graph, GraphInput, GraphNode } from './graph.ts';

/** The two files of a TensorFlow.js graph model. */
export interface TfjsFiles {
  /** What `model.json` says. */
  readonly modelJson: Readonly<Record<string, unknown>>;
  readonly weights: Uint8Array;
}

export const WEIGHTS_FILE = 'group1-shard1of1.bin';

const TYPES = {
  float: 'DT_FLOAT',
  double: 'DT_FLOAT',
  int: 'DT_INT32',
  int8: 'DT_FLOAT',
  bool: 'DT_BOOL',
} as const satisfies Record<Dtype, string>;

interface NodeDef {
  readonly name: string;
  readonly op: string;
  readonly input: readonly string[];
  readonly attr: Readonly<Record<string, unknown>>;
}

interface FunctionDef {
  readonly signature: object;
  readonly nodeDef: readonly NodeDef[];
  readonly ret: Readonly<Record<string, string>>;
}

/** A graph model as `tf.loadGraphModel` reads it. @param metadata `userDefinedMetadata` of `model.json` */
export function toTfjs(graph: Graph, metadata: Readonly<Record<string, unknown>>): TfjsFiles {
  const functions: FunctionDef[] = [];
  const main = new TfWriter(graph, functions, '');
  for (const { name, dtype, shape } of graph.inputs) {
    main.node('Placeholder', [], { dtype: typeOf(dtype), shape: { shape: shapeOf(shape) } }, name);
  }
  for (const node of graph.nodes) main.add(node);
  for (const { from, name } of graph.outputs) main.node('Identity', [main.nameOf(from)], {}, name);
  const used = [...graph.constants.values()].filter(({ name }) => main.usedNames.has(name));
  const info = (of: readonly GraphInput[]) =>
    Object.fromEntries(
      of.map(({ name, dtype, shape }) => [
        name,
        { name: `${name}:0`, dtype: TYPES[dtype], tensorShape: shapeOf(shape) },
      ]),
    );
  return {
    modelJson: {
      format: 'graph-model',
      generatedBy: 'nimue',
      convertedBy: 'nimue',
      userDefinedMetadata: metadata,
      signature: { inputs: info(graph.inputs), outputs: info(graph.outputs) },
      modelTopology: {
        node: main.withConstants(),
        ...(functions.length > 0 && { library: { function: functions } }),
        versions: { producer: 1882 },
      },
      weightsManifest: [{ paths: [WEIGHTS_FILE], weights: used.map(weightOf) }],
    },
    weights: joined(used.map(bytesOf)),
  };
}

/** Puts nodes of the graph into nodes of TensorFlow, in the main graph or in a function of it. */
class TfWriter {
  readonly nodes: NodeDef[] = [];
  readonly usedNames: Set<string>;
  readonly #own = new Set<string>();
  readonly #graph: Graph;
  readonly #functions: FunctionDef[];
  readonly #scope: string;
  /** Values that are others under a new name. */
  readonly #aliases = new Map<string, string>();
  #count = 0;

  constructor(graph: Graph, functions: FunctionDef[], scope: string, usedNames = new Set<string>()) {
    this.#graph = graph;
    this.#functions = functions;
    this.#scope = scope;
    this.usedNames = usedNames;
  }

  nameOf(name: string): string {
    return this.#aliases.get(name) ?? name;
  }

  /** The nodes, and those of the constants that they read. */
  withConstants(): NodeDef[] {
    const constants = [...this.#own].map((name) => {
      const { dtype } = this.#graph.constants.get(name) as Constant;
      return { name, op: 'Const', input: [], attr: { dtype: typeOf(dtype) } };
    });
    return [...constants, ...this.nodes];
  }

  /** Adds a node of TensorFlow and names it. */
  node(op: string, input: readonly string[], attr: object = {}, name = `${this.#scope}tf_${this.#count++}`): string {
    for (const each of input) {
      if (!this.#graph.constants.has(each)) continue;
      this.#own.add(each);
      this.usedNames.add(each);
    }
    this.nodes.push({ name, op, input, attr: attr as NodeDef['attr'] });
    return name;
  }

  add({ operation, inputs, outputs }: GraphNode): void {
    const names = inputs.map(({ name }) => this.nameOf(name));
    const output = outputs[0].name;
    const write = (op: string, input: readonly string[] = names, attr: object = {}) => {
      this.node(op, input, attr, output);
    };
    switch (operation.op) {
      case 'gelu':
        this.#gelu(names[0], output);
        return;
      case 'matMul': {
        const adjoint = { adj_x: { b: false }, adj_y: { b: operation.transposeB } };
        write('BatchMatMulV2', names, adjoint);
        return;
      }
      case 'cast':
        if (TYPES[inputs[0].dtype] === TYPES[operation.to]) {
          this.#aliases.set(output, names[0]);
          return;
        }
        write('Cast', names, { SrcT: typeOf(inputs[0].dtype), DstT: typeOf(operation.to) });
        return;
      case 'transpose':
        write('Transpose', [names[0], this.#ints(operation.permutation)]);
        return;
      case 'sum':
        write('Sum', [names[0], this.#ints([operation.axis])], { keep_dims: { b: false } });
        return;
      case 'concat':
        write('ConcatV2', [...names, this.#int(operation.axis)], { N: { i: names.length } });
        return;
      case 'slice':
        this.#slice(names[0], operation, output);
        return;
      case 'expand':
        write('ExpandDims', [names[0], this.#int(operation.axis)]);
        return;
      case 'squeeze':
        write('Squeeze', names, { squeeze_dims: { list: { i: [operation.axis] } } });
        return;
      case 'gather':
        write('GatherV2', [...names, this.#int(0)]);
        return;
      case 'range':
        write('Range', [this.#int(0), this.#sizeOf(names[0], operation.axis), this.#int(1)], {
          Tidx: typeOf('int'),
        });
        return;
      case 'layerNorm':
        this.#layerNorm(names, operation.epsilon, output);
        return;
      case 'gru':
        this.#gru(names, operation.width, output);
        return;
      case 'linearRecurrence':
        this.#linearRecurrence(names, operation.size, output);
        return;
      case 'topK': {
        const top = this.node('TopKV2', [names[0], this.#int(operation.k)], { sorted: { b: true } });
        outputs.forEach(({ name }, i) => {
          this.#aliases.set(name, `${top}:${i}`);
        });
        return;
      }
      default:
        write(OPS[operation.op]);
        return;
    }
  }

  #slice(
    x: string,
    { axis, rank, from, to }: { axis: number; rank: number; from: number; to?: number },
    name?: string,
  ): string {
    const every = 2 ** rank - 1;
    const own = (value: number) => Array.from({ length: rank }, (_, i) => (i === axis ? value : 0));
    return this.node(
      'StridedSlice',
      [x, this.#ints(own(from)), this.#ints(own(to ?? 0)), this.#ints(new Array(rank).fill(1))],
      {
        begin_mask: { i: every - 2 ** axis },
        end_mask: { i: to === undefined ? every : every - 2 ** axis },
        ellipsis_mask: { i: 0 },
        new_axis_mask: { i: 0 },
        shrink_axis_mask: { i: 0 },
      },
      name,
    );
  }

  /** x Φ(x) by the fit of erfc that `linear` of `@nimue/ops` has, since not every backend knows Erf. */
  #gelu(x: string, output: string): void {
    const n = (op: string, ...input: (string | number)[]) =>
      this.node(
        op,
        input.map((value) => (typeof value === 'number' ? this.#float(value) : value)),
      );
    const z = n('Mul', n('Abs', x), Math.SQRT1_2);
    const t = n('RealDiv', 1, n('AddV2', n('Mul', z, 0.5), 1));
    const exponent = ERFC.reduceRight((sum, c) => n('AddV2', n('Mul', sum, t), c), n('Mul', t, 0));
    const tail = n('Mul', 0.5, n('Mul', t, n('Exp', n('Sub', exponent, n('Mul', z, z)))));
    // 1 − tail where x ≥ 0, tail where not
    const isNegative = this.node('Cast', [n('Less', x, 0)], { SrcT: typeOf('bool'), DstT: typeOf('float') });
    const isPositive = n('Sub', 1, isNegative);
    const phi = n('AddV2', n('Mul', isNegative, tail), n('Mul', isPositive, n('Sub', 1, tail)));
    this.node('Mul', [x, phi], {}, output);
  }

  #layerNorm([x, gamma, beta]: readonly string[], epsilon: number, output: string): void {
    const mean = (of: string) => this.node('Mean', [of, this.#ints([-1])], { keep_dims: { b: true } });
    const centred = this.node('Sub', [x, mean(x)]);
    const variance = mean(this.node('Mul', [centred, centred]));
    const inverse = this.node('Rsqrt', [this.node('AddV2', [variance, this.#float(epsilon)])]);
    const scaled = this.node('Mul', [this.node('Mul', [centred, inverse]), gamma]);
    this.node('AddV2', [scaled, beta], {}, output);
  }

  #gru(
    [x, inputWeights, recurrentWeights, inputBias, recurrentBias]: readonly string[],
    width: number,
    output: string,
  ) {
    const product = this.node('BatchMatMulV2', [x, inputWeights], { adj_x: { b: false }, adj_y: { b: false } });
    const gates = this.node('AddV2', [product, inputBias]);
    this.#overSteps(gates, width, output, (f, input, state) => {
      const product = f.node('BatchMatMulV2', [state, recurrentWeights], { adj_x: { b: false }, adj_y: { b: false } });
      const fromState = f.node('AddV2', [product, recurrentBias]);
      const part = (of: string, gate: number) =>
        f.#slice(of, { axis: 1, rank: 2, from: gate * width, to: (gate + 1) * width });
      const sum = (gate: number) => f.node('AddV2', [part(input, gate), part(fromState, gate)]);
      const [reset, update] = [0, 1].map((gate) => f.node('Sigmoid', [sum(gate)]));
      const candidate = f.node('Tanh', [f.node('AddV2', [part(input, 2), f.node('Mul', [reset, part(fromState, 2)])])]);
      const change = f.node('Mul', [update, f.node('Sub', [state, candidate])]);
      return f.node('AddV2', [candidate, change]);
    });
  }

  #linearRecurrence([x, decay]: readonly string[], size: number, output: string): void {
    this.#overSteps(x, 2 * size, output, (f, input, state) => {
      const part = (of: string, axis: number, i: number, length: number) =>
        f.#slice(of, { axis, rank: 2, from: i * length, to: (i + 1) * length });
      const [real, imaginary] = [part(decay, 0, 0, 1), part(decay, 0, 1, 1)];
      const [a, b] = [part(state, 1, 0, size), part(state, 1, 1, size)];
      const n = (op: string, ...of: string[]) => f.node(op, of);
      const turned = f.node(
        'ConcatV2',
        [
          n('Sub', n('Mul', a, real), n('Mul', b, imaginary)),
          n('AddV2', n('Mul', a, imaginary), n('Mul', b, real)),
          f.#int(1),
        ],
        { N: { i: 2 } },
      );
      return n('AddV2', turned, input);
    });
  }

  /**
   * States [B, L, width] after every step of x [B, L, ·], from a state of 0, in a loop: such a model is asked with
   * `executeAsync`.
   */
  #overSteps(
    x: string,
    width: number,
    output: string,
    step: (f: TfWriter, input: string, state: string) => string,
  ): void {
    const perm = this.#ints([1, 0, 2]);
    const byStep = this.node('Transpose', [x, perm]);
    const length = this.#sizeOf(byStep, 0);
    const first = this.node('GatherV2', [byStep, this.#int(0), this.#int(0)]);
    const start = this.node('Mul', [this.#slice(first, { axis: 1, rank: 2, from: 0, to: width }), this.#float(0)]);
    const states = this.node('ExpandDims', [start, this.#int(1)]);
    const variables = ['step', 'length', 'inputs', 'state', 'states'];
    const types = ['int', 'int', 'float', 'float', 'float'] as const;
    const define = (name: string, build: (f: TfWriter) => string[], resultTypes: readonly Dtype[]) => {
      const f = new TfWriter(this.#graph, this.#functions, `${name}/`, this.usedNames);
      const results = build(f);
      const arg = (argName: string, dtype: Dtype) => ({ name: argName, type: TYPES[dtype] });
      this.#functions.push({
        signature: {
          name,
          inputArg: variables.map((variable, i) => arg(variable, types[i])),
          outputArg: results.map((_, i) => arg(`result${i}`, resultTypes[i])),
        },
        nodeDef: f.withConstants(),
        ret: Object.fromEntries(results.map((result, i) => [`result${i}`, `${result}:0`])),
      });
      return { func: { name } };
    };
    const cond = define(`${output}_cond`, (f) => [f.node('Less', ['step', 'length'])], ['bool']);
    const body = define(
      `${output}_body`,
      (f) => {
        const input = f.node('GatherV2', ['inputs', 'step', f.#int(0)]);
        const state = step(f, input, 'state');
        const kept = f.node('ConcatV2', ['states', f.node('ExpandDims', [state, f.#int(1)]), f.#int(1)], {
          N: { i: 2 },
        });
        const same = ['length', 'inputs'].map((name) => f.node('Identity', [name]));
        return [f.node('AddV2', ['step', f.#int(1)]), ...same, state, kept];
      },
      types,
    );
    const loop = this.node('StatelessWhile', [this.#int(0), length, byStep, start, states], {
      cond,
      body,
      T: { list: { type: types.map((dtype) => TYPES[dtype]) } },
    });
    // The first state is the one before the first step.
    this.#slice(`${loop}:4`, { axis: 1, rank: 3, from: 1 }, output);
  }

  /** The size of an axis, one number. */
  #sizeOf(x: string, axis: number): string {
    return this.node('GatherV2', [this.node('Shape', [x]), this.#int(axis), this.#int(0)]);
  }

  #ints(values: readonly number[]): string {
    return this.#graph.constant(`ints.${values.join('.')}`, [values.length], Int32Array.from(values)).name;
  }

  #int(value: number): string {
    return this.#graph.number(value, { dtype: 'int' }).name;
  }

  #float(value: number): string {
    return this.#graph.number(value).name;
  }
}

const OPS = {
  sigmoid: 'Sigmoid',
  tanh: 'Tanh',
  exp: 'Exp',
  log: 'Log',
  abs: 'Abs',
  floor: 'Floor',
  relu: 'Relu',
  add: 'AddV2',
  sub: 'Sub',
  mul: 'Mul',
  div: 'RealDiv',
  maximum: 'Maximum',
  minimum: 'Minimum',
  less: 'Less',
  lessEqual: 'LessEqual',
  equal: 'Equal',
  softmax: 'Softmax',
} as const;

/** Coefficients of the fit of ln erfc in Numerical Recipes (2nd ed., §6.2), lowest power first. */
const ERFC = [
  -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587, -0.82215223,
  0.17087277,
];

function typeOf(dtype: Dtype): object {
  return { type: TYPES[dtype] };
}

function shapeOf(shape: GraphInput['shape']): object {
  return { dim: shape.map((size) => ({ size: String(typeof size === 'number' ? size : -1) })) };
}

/** Whole numbers of one byte travel as bytes and are read as float32. */
function weightOf({ name, dtype, shape }: Constant): object {
  const type = TYPES[dtype] === 'DT_INT32' ? 'int32' : 'float32';
  const quantization = { dtype: 'uint8', min: -128, scale: 1, original_dtype: 'float32' };
  return { name, shape, dtype: type, ...(dtype === 'int8' && { quantization }) };
}

function bytesOf({ dtype, values }: Constant): Uint8Array {
  if (dtype === 'int8') return Uint8Array.from(values, (value) => value + 128);
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
