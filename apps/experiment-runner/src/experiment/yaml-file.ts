import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, visit } from 'yaml';
import { expandEnvironment } from './expand-environment.ts';
import type { Path, Place, Problem } from './problem.ts';

/** More uses of anchors than this are taken for an attack, not for an experiment. */
const MAX_ALIASES = 100;
/** An experiment is a few levels deep; an anchor that contains itself has no end. */
const MAX_DEPTH = 30;

/** The variables that `${NAME}` and `${NAME:-default}` in text values may name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** A YAML file as plain values, with the way back from a value to its line. */
export interface YamlFile {
  /** Undefined when the file could not be read to the end. */
  readonly value: unknown;
  readonly problems: readonly Problem[];
  /** Where a key stands (`'key'`), or its value; for what is missing, where it should be. */
  placeOf(path: Path, part: 'key' | 'value'): Place;
}

/**
 * Reads YAML 1.2 strictly: no duplicate keys, no custom tags, one document, few aliases.
 *
 * @param name of the file in messages
 */
export function parseYaml(name: string, text: string, environment: Environment = {}): YamlFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  const placeAt = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { kind: 'file', file: name, line: Math.max(1, line), column: Math.max(1, col) };
  };
  const problems: Problem[] = [];
  let isReadable = true;
  for (const { code, message, pos } of [...document.errors, ...document.warnings]) {
    if (code === 'DUPLICATE_KEY') {
      const key = /^\s*["']?([^"':\s]+)/.exec(text.slice(pos[0]))?.[1] ?? '';
      problems.push({
        place: placeAt(pos[0]),
        path: [],
        message: `key '${key}' stands here a second time; remove one`,
      });
      continue;
    }
    isReadable = false;
    const place = placeAt(pos[0]);
    // What comes after the first syntax error of a line is a consequence of it.
    if (problems.some((earlier) => isOnLine(earlier.place, place))) continue;
    problems.push({ place, path: [], message: explainSyntax(code, message) });
  }
  if (!isReadable) return { value: undefined, problems, placeOf: () => placeAt(0) };

  const placeOf = (path: Path, part: 'key' | 'value') => placeAt(offsetOf(document, path, part));
  visit(document, {
    Scalar: (key, node) => {
      if (key === 'key') return;
      for (const message of expandScalar(node, environment)) {
        problems.push({ place: placeAt(node.range?.[0] ?? 0), path: [], message });
      }
    },
  });
  const value = toPlainValue(document, problems, placeAt);
  return { value, problems, placeOf };
}

/** Puts the named variables into a text value. @returns what is wrong with it */
export function expandScalar(node: { value: unknown }, environment: Environment): string[] {
  if (typeof node.value !== 'string') return [];
  const { text, missing } = expandEnvironment(node.value, environment);
  node.value = text;
  return missing.map((name) => `environment variable ${name} is not set; set it, or write \${${name}:-default}`);
}

function toPlainValue(document: Document, problems: Problem[], placeAt: (offset: number) => Place): unknown {
  try {
    const value: unknown = document.toJS({ maxAliasCount: MAX_ALIASES });
    if (!isDeeperThan(value, MAX_DEPTH)) return value;
    const message = `nested deeper than ${MAX_DEPTH} levels, or an anchor that contains its own alias; write the values out`;
    problems.push({ place: placeAt(firstAlias(document)), path: [], message });
    return undefined;
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
    const unresolved = /^Unresolved alias.*: (\S+)$/.exec(error.message)?.[1];
    const message = unresolved
      ? `the alias *${unresolved} has no anchor &${unresolved} before it`
      : `anchors and aliases would unfold into more than ${MAX_ALIASES} copies; write the values out`;
    problems.push({ place: placeAt(firstAlias(document, unresolved)), path: [], message });
    return undefined;
  }
}

function firstAlias(document: Document, name?: string): number {
  let offset = 0;
  visit(document, {
    Alias: (_, alias) => {
      if (name && alias.source !== name) return undefined;
      offset = alias.range?.[0] ?? 0;
      return visit.BREAK;
    },
  });
  return offset;
}

function isDeeperThan(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return depth === 0 || Object.values(value).some((part) => isDeeperThan(part, depth - 1));
}

/** Offset of the deepest node on the way that exists. */
function offsetOf(document: Document, path: Path, part: 'key' | 'value'): number {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? 0;
  for (const [depth, name] of path.entries()) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => String(isScalar(key) ? key.value : key) === String(name));
      if (!pair) return offset;
      const keyOffset = startOf(pair.key) ?? offset;
      offset = depth === path.length - 1 && part === 'key' ? keyOffset : (startOf(pair.value) ?? keyOffset);
      node = pair.value;
    } else if (isSeq(node) && typeof name === 'number' && name < node.items.length) {
      node = node.items[name];
      offset = startOf(node) ?? offset;
    } else return offset;
  }
  return offset;
}

function isOnLine(a: Place, b: Place): boolean {
  return a.kind === 'file' && b.kind === 'file' && a.line === b.line;
}

function startOf(node: unknown): number | undefined {
  return (node as Node | null | undefined)?.range?.[0];
}

function explainSyntax(code: string, message: string): string {
  if (code === 'TAB_AS_INDENT') return 'a tab indents this line; YAML takes spaces only';
  if (code === 'MULTIPLE_DOCS') return "a second document begins here ('---'); an experiment file holds one";
  if (code === 'TAG_RESOLVE_FAILED') return `${message}; an experiment file has no tags, remove it`;
  return `not valid YAML: ${message}`;
}
