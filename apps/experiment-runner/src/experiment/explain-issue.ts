import type { z } from 'zod';
import { didYouMean, explainUnknownKey } from './known-keys.ts';
import type { Path, Problem } from './problem.ts';
import type { YamlFile } from './yaml-file.ts';

type Issue = z.core.$ZodIssue;

/** Turns what a schema found into problems with a place, an expectation and a next step. */
export function explainIssues(file: YamlFile, schema: z.ZodType, issues: readonly Issue[]): Problem[] {
  return issues.flatMap((issue) => explainIssue(file, schema, issue));
}

function explainIssue(file: YamlFile, schema: z.ZodType, issue: Issue): Problem[] {
  const path = issue.path as Path;
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      place: file.placeOf([...path, key], 'key'),
      path: [...path, key],
      message: explainUnknownKey(schema, path, file.value, key),
    }));
  }
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    const inside = issue.errors.filter((branch) => branch.some((inner) => inner.path.length > 0));
    // A form that has all the keys was meant rather than one that does not know them.
    const deeper = inside.find((branch) => branch.every(({ code }) => code !== 'unrecognized_keys')) ?? inside[0];
    if (deeper) {
      return deeper.flatMap((inner) => explainIssue(file, schema, { ...inner, path: [...path, ...inner.path] }));
    }
  }
  const value = valueAt(file.value, path);
  const message = messageOf(issue, value);
  return [{ place: file.placeOf(path, 'value'), path, message: value === undefined ? `missing; ${message}` : message }];
}

function messageOf(issue: Issue, value: unknown): string {
  const got = value === undefined ? '' : `, got ${describeValue(value)}`;
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${TYPE_NAMES[issue.expected] ?? issue.expected}${got}${formHint(issue.expected, value)}`;
    case 'too_small':
      return `expected ${limitOf(issue.origin, issue.inclusive ? 'at least' : 'more than', issue.minimum)}${got}`;
    case 'too_big':
      return `expected ${limitOf(issue.origin, issue.inclusive === false ? 'less than' : 'at most', issue.maximum)}${got}`;
    case 'invalid_value':
      return oneOf(issue.values.map(String), value);
    case 'invalid_union':
      return 'options' in issue && Array.isArray(issue.options)
        ? oneOf(issue.options.map(String), value)
        : `${unionExpectation(issue)}${got}${wordHint(issue.errors.flat(), value)}`;
    case 'invalid_key':
      return issue.issues[0]?.message ?? issue.message;
    case 'invalid_format':
      return `${FORMAT_NAMES[issue.format] ?? issue.message}${got}`;
    default:
      return `${issue.message}${issue.message.includes('got') ? '' : got}`;
  }
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
};

const FORMAT_NAMES: Readonly<Record<string, string>> = { date: 'expected a date such as 2024-01-31' };

function expectationOf(issue: Issue | undefined): string {
  if (issue?.code === 'invalid_type') return TYPE_NAMES[issue.expected] ?? issue.expected;
  return issue?.message ?? 'another form';
}

/** What the schema says of its forms, or the expectation of each. */
function unionExpectation({ message, errors }: Extract<Issue, { code: 'invalid_union' }>): string {
  if (message.startsWith('expected')) return message;
  return `expected ${errors.map(([first]) => expectationOf(first)).join(' or ')}`;
}

/** The nearest of the words that one of the forms allows. */
function wordHint(issues: readonly Issue[], value: unknown): string {
  const words = issues.flatMap((issue) => (issue.code === 'invalid_value' ? issue.values.map(String) : []));
  return typeof value === 'string' ? didYouMean(value, words) : '';
}

function oneOf(options: readonly string[], value: unknown): string {
  const hint = typeof value === 'string' ? didYouMean(value, options) : '';
  const got = value === undefined ? '' : `, got ${describeValue(value)}`;
  return `expected ${options.length === 1 ? '' : 'one of '}${options.join(', ')}${got}${hint}`;
}

function limitOf(origin: string, relation: string, limit: number | bigint): string {
  const plural = Number(limit) === 1 ? '' : 's';
  if (origin === 'array') return `${relation} ${limit} ${Number(limit) === 1 ? 'entry' : 'entries'}`;
  if (origin === 'string') return `${relation} ${limit} character${plural}`;
  return `${relation} ${limit}`;
}

/** A frequent slip that has an obvious remedy. */
function formHint(expected: string, value: unknown): string {
  if (expected === 'object' && typeof value === 'string') return `; write 'name: ${value}'`;
  if (expected === 'array' && value !== null && value !== undefined && typeof value !== 'object')
    return `; write [${String(value)}]`;
  if ((expected === 'number' || expected === 'int') && typeof value === 'string' && Number.isFinite(Number(value))) {
    return '; remove the quotes';
  }
  return '';
}

function describeValue(value: unknown): string {
  if (value === null) return 'nothing';
  if (typeof value === 'string') return `'${value.length > 60 ? `${value.slice(0, 60)}…` : value}'`;
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  return typeof value === 'object' ? 'a mapping' : String(value);
}

/** The value at a path, undefined when there is none. */
export function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const part of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<string | number, unknown>)[part];
  }
  return value;
}
