import { readFileSync } from 'node:fs';
import { dirname, isAbsolute, join, normalize, relative } from 'node:path';
import { InputError } from '../input-error.ts';
import { isMapping } from './is-mapping.ts';
import type { Problem } from './problem.ts';
import { type Environment, parseYaml, type YamlFile } from './yaml-file.ts';

/** A larger file is no experiment. */
const MAX_BYTES = 1_000_000;

/**
 * Reads an experiment file and, before it, the files that its `extends` names (a path or a list, relative to the file
 * itself).
 *
 * @returns the files in order of precedence, the least first
 * @throws InputError when the file itself cannot be read; what is wrong with `extends` is a problem of the file
 */
export function readLayers(name: string, environment: Environment): YamlFile[] {
  return layersOf(name, readText(name), environment, []);
}

/** The same for a text that is at hand. @param name of the file: messages show it, and `extends` starts beside it */
export function layersOf(
  name: string,
  text: string,
  environment: Environment,
  above: readonly string[] = [],
): YamlFile[] {
  const file = parseYaml(name, text, environment);
  if (!isMapping(file.value) || !('extends' in file.value)) return [file];
  const { extends: given, ...value } = file.value;
  const isList = Array.isArray(given);
  const problems: Problem[] = [...file.problems];
  const layers = (isList ? given : [given]).flatMap((base: unknown, i): YamlFile[] => {
    const path = isList ? ['extends', i] : ['extends'];
    const refuse = (message: string): YamlFile[] => {
      problems.push({ place: file.placeOf(path, 'value'), path, message });
      return [];
    };
    if (typeof base !== 'string' || base === '')
      return refuse('expected the path of an experiment file, or a list of them');
    const target = isAbsolute(base) ? base : join(dirname(name), base);
    const trail = [...above, name].map((other) => normalize(other));
    if (trail.includes(normalize(target))) {
      return refuse(
        `a circle: ${[...trail.slice(trail.indexOf(normalize(target))), normalize(target)].join(' extends ')}`,
      );
    }
    try {
      return layersOf(target, readText(target), environment, [...above, name]);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      return refuse(`${error.message}; paths start at the folder of this file, ${relative('.', dirname(name)) || '.'}`);
    }
  });
  return [...layers, { ...file, value, problems }];
}

function readText(name: string): string {
  try {
    const text = readFileSync(name);
    if (text.byteLength > MAX_BYTES)
      throw new InputError(`${name}: ${text.byteLength} bytes; expected an experiment file`);
    return text.toString('utf8');
  } catch (error) {
    if (error instanceof InputError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === 'ENOENT' ? 'the file does not exist' : code === 'EISDIR' ? 'this is a folder' : message;
    throw new InputError(`${name}: ${reason}; expected an experiment file`);
  }
}
