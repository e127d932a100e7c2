import { Document, type Node, visit } from 'yaml';
import { isMapping } from './is-mapping.ts';
import type { Path, Place, Problem } from './problem.ts';
import { applySetting, type Setting } from './setting.ts';
import { type Environment, expandScalar, type YamlFile } from './yaml-file.ts';

/** Several files and the settings of the command line as one. */
export interface MergedFile extends YamlFile {
  /** Where a value was written; undefined for what no file and no setting says. */
  originOf(path: Path): Place | undefined;
}

/** Keys that say what a mapping is: where they differ, the options beside them belong to different things. */
const KINDS = ['name', 'generated', 'files', 'spec'] as const;

/**
 * Lays files over one another: mappings are merged key by key; lists, single values and mappings that name something else
 * (another `name`, `files` instead of `generated` or `spec`) are replaced.
 *
 * @param layers the least first
 */
export function mergeLayers(
  layers: readonly YamlFile[],
  settings: readonly Setting[] = [],
  environment: Environment = {},
): MergedFile {
  const problems = layers.flatMap((layer) => layer.problems);
  const owners = new Map<string, number>();
  const claim = (path: Path, value: unknown, owner: number): unknown => {
    for (const key of owners.keys()) if (startsWith(JSON.parse(key) as Path, path)) owners.delete(key);
    const own = (at: Path, part: unknown) => {
      owners.set(JSON.stringify(at), owner);
      if (typeof part !== 'object' || part === null) return;
      const isList = Array.isArray(part);
      for (const [key, inner] of Object.entries(part)) own([...at, isList ? Number(key) : key], inner);
    };
    own(path, value);
    return value;
  };
  const merge = (lower: unknown, upper: unknown, path: Path, owner: number): unknown => {
    if (!isMapping(lower) || !isMapping(upper) || (path.length > 0 && isOtherKind(lower, upper))) {
      return claim(path, upper, owner);
    }
    const merged: Record<string, unknown> = { ...lower };
    for (const [key, value] of Object.entries(upper)) {
      const inner = [...path, key];
      merged[key] = key in lower ? merge(lower[key], value, inner, owner) : claim(inner, value, owner);
    }
    return merged;
  };
  const unreadable = layers.findIndex((layer) => layer.value === undefined && layer.problems.length > 0);
  if (unreadable >= 0) {
    return { value: undefined, problems, placeOf: layers[unreadable].placeOf, originOf: () => undefined };
  }
  let value: unknown;
  for (const [owner, layer] of layers.entries()) {
    value = owner === 0 ? claim([], layer.value, 0) : merge(value, layer.value ?? {}, [], owner);
  }

  const applied: Setting[] = [];
  if (settings.length > 0) {
    const document = new Document(value, { aliasDuplicateObjects: false });
    for (const setting of settings) {
      const message = applySetting(document, setting) ?? expandSetting(document, setting, environment);
      if (message === undefined) applied.push(setting);
      else
        problems.push({
          place: { kind: 'setting', text: setting.text },
          path: setting.path,
          message,
        } satisfies Problem);
    }
    value = document.toJS();
  }
  const placeOfSetting = (path: Path): Place | undefined => {
    const setting = applied.findLast((candidate) => startsWith(path, candidate.path));
    return setting && { kind: 'setting', text: setting.text };
  };
  const placeInFile = (path: Path, part: 'key' | 'value'): Place | undefined => {
    const owner = owners.get(JSON.stringify(path));
    return owner === undefined ? undefined : layers[owner].placeOf(path, part);
  };
  return {
    value,
    problems,
    originOf: (path) => placeOfSetting(path) ?? placeInFile(path, 'value'),
    placeOf: (path, part) => {
      const place = placeOfSetting(path) ?? placeInFile(path, part);
      if (place) return place;
      for (let depth = path.length - 1; depth >= 0; depth--) {
        const nearest = placeInFile(path.slice(0, depth), 'value');
        if (nearest) return nearest;
      }
      return layers[layers.length - 1].placeOf([], 'value');
    },
  };
}

function isOtherKind(lower: Record<string, unknown>, upper: Record<string, unknown>): boolean {
  return KINDS.some(
    (kind) =>
      kind in upper &&
      (kind in lower ? kind !== 'files' && lower[kind] !== upper[kind] : KINDS.some((other) => other in lower)),
  );
}

function expandSetting(document: Document, { path }: Setting, environment: Environment): string | undefined {
  const messages: string[] = [];
  const node = document.getIn(path, true) as Node | undefined;
  if (node) {
    visit(node, {
      Scalar: (key, scalar) => {
        if (key !== 'key') messages.push(...expandScalar(scalar, environment));
      },
    });
  }
  return messages[0];
}

function startsWith(path: Path, start: Path): boolean {
  return start.length <= path.length && start.every((part, i) => String(part) === String(path[i]));
}
