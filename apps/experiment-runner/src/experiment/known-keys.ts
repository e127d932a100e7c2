import { filesDatasetSchema, generatedDatasetSchema, specDatasetSchema } from '@nimue/data';
import { closest, distance } from 'fastest-levenshtein';
import { z } from 'zod';
import type { Path } from './problem.ts';

/** The name that was probably meant, as the end of a message; empty when none is near. */
export function didYouMean(name: string, known: readonly string[]): string {
  if (known.length === 0) return '';
  const lower = name.toLowerCase();
  const best = closest(
    lower,
    known.map((candidate) => candidate.toLowerCase()),
  );
  const meant = known.find((candidate) => candidate.toLowerCase() === best) ?? best;
  return distance(lower, best) <= Math.max(2, Math.floor(name.length / 3)) ? `; did you mean '${meant}'?` : '';
}

/**
 * What to say about a key that the schema does not know.
 *
 * @param path of the mapping that holds the key
 * @param root the whole file as plain values
 */
export function explainUnknownKey(schema: z.ZodType, path: Path, root: unknown, key: string): string {
  const { chosen, others } = mappingsAt(schema, path, root);
  const known = chosen.flatMap((mapping) => Object.keys(mapping.shape));
  const elsewhere = [...chosen, ...others].filter((mapping) => key in mapping.shape).map(discriminatorOf);
  if (elsewhere.length > 0) return `does not belong here; it goes with ${elsewhere.join(' or ')}`;
  const hint = didYouMean(key, known);
  return `unknown key${hint || `; expected one of ${[...new Set(known)].sort().join(', ')}`}`;
}

interface Mappings {
  /** The mappings that the value can be. */
  readonly chosen: readonly z.ZodObject[];
  /** Alternatives that its `name`, `policy` … has ruled out. */
  readonly others: readonly z.ZodObject[];
}

function mappingsAt(schema: z.ZodType, path: Path, root: unknown): Mappings {
  let current: z.ZodType | undefined = schema;
  let value = root;
  for (const [depth, part] of path.entries()) {
    const inner = unwrap(current);
    value = (value as Record<string | number, unknown> | undefined)?.[part];
    if (depth === 0 && part === 'dataset') {
      const has = (key: string) => typeof value === 'object' && value !== null && key in value;
      current = has('generated') ? generatedDatasetSchema : has('spec') ? specDatasetSchema : filesDatasetSchema;
    } else if (inner instanceof z.ZodObject) current = inner.shape[part] as z.ZodType | undefined;
    else if (inner instanceof z.ZodArray) current = inner.element as z.ZodType;
    else if (inner instanceof z.ZodUnion) {
      const parent = parentOf(root, path, depth);
      current = alternatives(inner, parent).chosen.find((mapping) => part in mapping.shape)?.shape[part] as
        | z.ZodType
        | undefined;
    } else return { chosen: [], others: [] };
    if (!current) return { chosen: [], others: [] };
  }
  const inner = unwrap(current);
  if (inner instanceof z.ZodObject) return { chosen: [inner], others: [] };
  return inner instanceof z.ZodUnion ? alternatives(inner, value) : { chosen: [], others: [] };
}

function parentOf(root: unknown, path: Path, depth: number): unknown {
  let value = root;
  for (const part of path.slice(0, depth)) value = (value as Record<string | number, unknown> | undefined)?.[part];
  return value;
}

function alternatives(union: z.ZodUnion, value: unknown): Mappings {
  const all = union.options
    .map((option) => unwrap(option as z.ZodType))
    .filter((option) => option instanceof z.ZodObject);
  const fits = (mapping: z.ZodObject) =>
    Object.entries(mapping.shape).every(([key, part]) => {
      const given = (value as Record<string, unknown> | null | undefined)?.[key];
      return !(part instanceof z.ZodLiteral) || given === undefined || part.values.has(given as string);
    });
  const chosen = all.filter(fits);
  return { chosen: chosen.length > 0 ? chosen : all, others: all.filter((mapping) => !chosen.includes(mapping)) };
}

function discriminatorOf(mapping: z.ZodObject): string {
  const entry = Object.entries(mapping.shape).find(([, part]) => part instanceof z.ZodLiteral);
  return entry ? `${entry[0]} ${[...(entry[1] as z.ZodLiteral).values].join('/')}` : 'another form';
}

/** The schema inside defaults, options and preprocessing. */
function unwrap(schema: z.ZodType): z.ZodType {
  let current = schema;
  for (;;) {
    if (current instanceof z.ZodOptional || current instanceof z.ZodDefault || current instanceof z.ZodPrefault) {
      current = current.unwrap() as z.ZodType;
    } else if (current instanceof z.ZodPipe) current = current.out as z.ZodType;
    else return current;
  }
}
