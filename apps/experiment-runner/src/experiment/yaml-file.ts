import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, visit } from 'yaml';
import { expandEnvironment } from './expand-environment.ts';
import type { Path, Place, Problem } from './problem.ts';
import { applySetting, type Setting } from './setting.ts';

/** More uses of anchors than this are taken for an attack, not for an experiment. */
const MAX_ALIASES = 100;

/** A YAML file as plain values, with the way back from a value to its line. */
export interface YamlFile {
  /** Undefined when the file could not be read to the end. */
  readonly value: unknown;
  readonly problems: readonly Problem[];
  /** Where a key stands (`'key'`), or its value; for what is missing, where it should be. */
  placeOf(path: Path, part: 'key' | 'value'): Place;
}

export interface ParseYamlOptions {
  /** From the command line; they take precedence over the file. */
  readonly settings?: readonly Setting[];
  /** For `${NAME}` and `${NAME:-default}` in text values. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** Reads YAML 1.2 strictly: no duplicate keys, no custom tags, one document, few aliases. */
export function parseYaml(text: string, options: ParseYamlOptions = {}): YamlFile {
  const { settings = [], environment = {} } = options;
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  const placeAt = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { kind: 'file', line: Math.max(1, line), column: Math.max(1, col) };
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

  const applied: Setting[] = [];
  for (const setting of settings) {
    const problem = applySetting(document, setting);
    if (problem === undefined) applied.push(setting);
    else problems.push({ place: { kind: 'setting', text: setting.text }, path: setting.path, message: problem });
  }
  const placeOf = (path: Path, part: 'key' | 'value') => {
    const setting = applied.findLast((candidate) => startsWith(path, candidate.path));
    if (setting) return { kind: 'setting', text: setting.text } as const;
    return placeAt(offsetOf(document, path, part));
  };
  problems.push(...expandScalars(document, environment, placeAt));
  const value = toPlainValue(document, problems, placeAt);
  return { value, problems, placeOf };
}

function toPlainValue(document: Document, problems: Problem[], placeAt: (offset: number) => Place): unknown {
  try {
    return document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
    const unresolved = /^Unresolved alias.*: (\S+)$/.exec(error.message)?.[1];
    const message = unresolved
      ? `the alias *${unresolved} has no anchor &${unresolved} before it`
      : `anchors and aliases would unfold into more than ${MAX_ALIASES} copies; write the values out`;
    let offset = 0;
    visit(document, {
      Alias: (_, alias) => {
        if (unresolved && alias.source !== unresolved) return undefined;
        offset = alias.range?.[0] ?? 0;
        return visit.BREAK;
      },
    });
    problems.push({ place: placeAt(offset), path: [], message });
    return undefined;
  }
}

function expandScalars(
  document: Document,
  environment: Readonly<Record<string, string | undefined>>,
  placeAt: (offset: number) => Place,
): Problem[] {
  const problems: Problem[] = [];
  visit(document, {
    Scalar: (key, node) => {
      if (key === 'key' || typeof node.value !== 'string') return;
      const expanded = expandEnvironment(node.value, environment);
      node.value = expanded.text;
      for (const name of expanded.missing) {
        const message = `environment variable ${name} is not set; set it, or write \${${name}:-default}`;
        problems.push({ place: placeAt(node.range?.[0] ?? 0), path: [], message });
      }
    },
  });
  return problems;
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

function startsWith(path: Path, start: Path): boolean {
  return start.length <= path.length && start.every((part, i) => String(part) === String(path[i]));
}

function explainSyntax(code: string, message: string): string {
  if (code === 'TAB_AS_INDENT') return 'a tab indents this line; YAML takes spaces only';
  if (code === 'MULTIPLE_DOCS') return "a second document begins here ('---'); an experiment file holds one";
  if (code === 'TAG_RESOLVE_FAILED') return `${message}; an experiment file has no tags, remove it`;
  return `not valid YAML: ${message}`;
}
