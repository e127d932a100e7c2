import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';

export interface TensorConfig {
  readonly name: string;
  readonly dataType: string;
  readonly dims: readonly number[];
}

/** What is read of a `config.pbtxt`; protobufjs spells its fields in camel case. */
export interface ModelConfig {
  readonly name: string;
  readonly platform?: string;
  readonly backend?: string;
  readonly maxBatchSize: number;
  readonly input: readonly TensorConfig[];
  readonly output: readonly TensorConfig[];
  readonly ensembleScheduling?: {
    readonly step: readonly {
      readonly modelName: string;
      readonly modelVersion: number;
      readonly inputMap: Readonly<Record<string, string>>;
      readonly outputMap: Readonly<Record<string, string>>;
    }[];
  };
}

/** Triton's own declaration of what a `config.pbtxt` may hold. */
const { root } = protobuf.parse(readFileSync(fileURLToPath(new URL('./model_config.proto', import.meta.url)), 'utf8'));

/**
 * Reads a `config.pbtxt` as Triton does: against its ModelConfig, in protocol buffers' text format.
 *
 * @throws naming a field that there is not, or a value that does not fit its field
 */
export function parseModelConfig(text: string): ModelConfig {
  const type = root.lookupType('inference.ModelConfig');
  const tokens = [...text.matchAll(/"(?:[^"\\]|\\.)*"|[A-Za-z_]\w*|-?\d+|[{}[\]:,]|\S/g)].map(([token]) => token);
  const message = new Reader(tokens).message(type, undefined);
  const wrong = type.verify(message);
  if (wrong) throw new Error(`config.pbtxt: ${wrong}`);
  const written = type.decode(type.encode(type.fromObject(message)).finish());
  return type.toObject(written, { longs: Number, enums: String, arrays: true }) as ModelConfig;
}

type Fields = Record<string, unknown>;

class Reader {
  readonly #tokens: readonly string[];
  #at = 0;

  constructor(tokens: readonly string[]) {
    this.#tokens = tokens;
  }

  /** Fields up to the closing brace, or to the end where none is expected. */
  message(type: protobuf.Type, end: '}' | undefined): Fields {
    const fields: Fields = {};
    while (this.#tokens[this.#at] !== end) {
      const name = this.#next();
      const field = type.fieldsArray.find((one) => one.name === protobuf.util.camelCase(name));
      if (!field || !/^[a-z][a-z0-9_]*$/.test(name))
        throw new Error(`config.pbtxt: ${type.name} has no field '${name}'`);
      field.resolve();
      this.#field(fields, field);
    }
    if (end) this.#take(end);
    return fields;
  }

  #field(fields: Fields, field: protobuf.Field): void {
    const before = fields[field.name];
    if (field instanceof protobuf.MapField) {
      this.#take('{');
      this.#take('key');
      this.#take(':');
      const key = this.#next();
      this.#take('value');
      this.#take(':');
      fields[field.name] = { ...(before as Fields), [JSON.parse(key)]: this.#value(field) };
      this.#take('}');
      return;
    }
    if (before !== undefined && !field.repeated) throw new Error(`config.pbtxt: '${field.name}' is there twice`);
    const values: unknown[] =
      field.resolvedType instanceof protobuf.Type ? [this.#nested(field.resolvedType)] : this.#scalars(field);
    fields[field.name] = field.repeated ? [...((before as unknown[]) ?? []), ...values] : values[0];
  }

  #nested(type: protobuf.Type): Fields {
    if (this.#tokens[this.#at] === ':') this.#at++;
    this.#take('{');
    return this.message(type, '}');
  }

  #scalars(field: protobuf.Field): unknown[] {
    this.#take(':');
    if (this.#tokens[this.#at] !== '[') return [this.#value(field)];
    if (!field.repeated) throw new Error(`config.pbtxt: '${field.name}' is no list`);
    this.#take('[');
    const values = [this.#value(field)];
    while (this.#tokens[this.#at] === ',') {
      this.#at++;
      values.push(this.#value(field));
    }
    this.#take(']');
    return values;
  }

  #value(field: protobuf.Field): unknown {
    const token = this.#next();
    if (field.resolvedType instanceof protobuf.Enum) {
      const number = field.resolvedType.values[token];
      if (number === undefined) throw new Error(`config.pbtxt: '${field.name}' cannot be ${token}`);
      return number;
    }
    if (
      field.type === 'string'
        ? token.startsWith('"')
        : field.type === 'bool'
          ? /^(true|false)$/.test(token)
          : /^-?\d+$/.test(token)
    ) {
      return JSON.parse(token);
    }
    throw new Error(`config.pbtxt: '${field.name}' cannot be ${token}; expected ${field.type}`);
  }

  #next(): string {
    const token = this.#tokens[this.#at++];
    if (token === undefined) throw new Error('config.pbtxt: it ends too early');
    return token;
  }

  #take(expected: string): void {
    const token = this.#next();
    if (token !== expected) throw new Error(`config.pbtxt: expected '${expected}', got '${token}'`);
  }
}
