import { z } from 'zod';

/** A JSON Schema as far as the reference page looks into it. */
interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly required?: readonly string[];
}

/** One option of a section. */
export interface OptionRow {
  /** Path within the section, such as `plateau.patience`. */
  readonly path: string;
  readonly type: string;
  /** Default, `required`, or empty where leaving it out has a meaning of its own. */
  readonly preset: string;
  readonly description: string;
}

/** Every option of a schema in its order, those of mappings within it below them. `name` and the like are left out. */
export function optionRows(schema: z.ZodType, without: readonly string[] = []): OptionRow[] {
  const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
  return rowsOf(json, '').filter(({ path }) => !without.includes(path));
}

function rowsOf({ properties = {}, required = [] }: JsonSchema, path: string): OptionRow[] {
  return Object.entries(properties).flatMap(([key, part]) => {
    const own = path === '' ? key : `${path}.${key}`;
    const isRequired = required.includes(key);
    const row = {
      path: own,
      type: typeOf(part),
      preset: presetOf(part, isRequired),
      description: part.description ?? '',
    };
    return [row, ...formsOf(part).flatMap((form) => rowsOf(form, own))];
  });
}

/** The mappings that an option can be; of those that a `name` tells apart none, since they have tables of their own. */
function formsOf(part: JsonSchema): readonly JsonSchema[] {
  const forms = part.anyOf ?? part.oneOf ?? [part];
  const mappings = forms.flatMap((form) => (form.properties ? [form] : []));
  return mappings.some(({ properties }) => properties && 'const' in (properties.name ?? {})) ? [] : mappings;
}

function typeOf(part: JsonSchema): string {
  if (part.const !== undefined) return `\`${String(part.const)}\``;
  if (part.enum) return part.enum.map((value) => `\`${String(value)}\``).join(', ');
  if (Array.isArray(part.type)) return part.type.map((type) => typeOf({ ...part, type })).join(' or ');
  const forms = part.anyOf ?? part.oneOf;
  if (forms) {
    const kinds = forms.map((form) => nameOf(form) ?? typeOf(form));
    return [...new Set(kinds)].join(' or ');
  }
  if (part.type === 'array') return `list of ${part.items ? typeOf(part.items) : 'anything'}`;
  if (part.type === 'object') return 'mapping';
  if (part.type === 'integer') return `whole number${limitsOf(part)}`;
  if (part.type === 'number') return `number${limitsOf(part)}`;
  if (part.type === 'boolean') return 'true or false';
  if (part.type === 'string') return 'text';
  if (part.type === 'null') return 'null';
  return 'anything';
}

/** Of a mapping that its name tells apart. */
function nameOf({ properties }: JsonSchema): string | undefined {
  const name = properties?.name;
  return name && 'const' in name ? `\`{ name: ${String(name.const)}, … }\`` : undefined;
}

function limitsOf({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: JsonSchema): string {
  const isLimit = (value: number | undefined): value is number =>
    value !== undefined && Math.abs(value) < Number.MAX_SAFE_INTEGER;
  const lower = isLimit(minimum) ? `≥ ${minimum}` : isLimit(exclusiveMinimum) ? `> ${exclusiveMinimum}` : '';
  const upper = isLimit(maximum) ? `≤ ${maximum}` : isLimit(exclusiveMaximum) ? `< ${exclusiveMaximum}` : '';
  const both = [lower, upper].filter(Boolean).join(', ');
  return both === '' ? '' : ` ${both}`;
}

function presetOf(part: JsonSchema, isRequired: boolean): string {
  if (part.default !== undefined) return `\`${JSON.stringify(part.default).replaceAll('"', '')}\``;
  return isRequired ? 'required' : '';
}
