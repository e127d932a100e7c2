import { type Document, isCollection, isSeq, parseDocument } from 'yaml';
import { InputError } from '../input-error.ts';
import type { Path } from './problem.ts';

/** One `--set` of the command line. */
export interface Setting {
  readonly path: Path;
  /** YAML text of the value. */
  readonly value: string;
  /** As typed. */
  readonly text: string;
}

/**
 * Reads `training.learningRate=1e-3`; entries of a list are numbered from 0, `models.1.hiddenSize=64`.
 *
 * @throws when there is no `=` or no path before it
 */
export function parseSetting(text: string): Setting {
  const match = /^([^=\s]+)=(.*)$/s.exec(text);
  const path = (match?.[1] ?? '').split('.').map((part) => (/^\d+$/.test(part) ? Number(part) : part));
  if (!match || path.includes('')) {
    throw new InputError(`--set ${text}: expected path=value, such as training.learningRate=0.001`);
  }
  return { path, value: match[2], text };
}

/** Puts the value into the document. @returns what is wrong, if anything */
export function applySetting(document: Document, { path, value }: Setting): string | undefined {
  for (let depth = 0; depth < path.length; depth++) {
    const parent = depth === 0 ? document.contents : document.getIn(path.slice(0, depth));
    if (parent === undefined || parent === null) break;
    if (!isCollection(parent)) return `expected path=value, got a path below the value ${JSON.stringify(parent)}`;
    const part = path[depth];
    if (isSeq(parent) && (typeof part !== 'number' || part >= parent.items.length)) {
      return `entry ${part} does not exist; the list has entries 0 … ${parent.items.length - 1}`;
    }
  }
  const parsed = parseDocument(value);
  if (parsed.errors.length > 0) return `the value ${JSON.stringify(value)} is not valid YAML`;
  document.setIn(path, parsed.contents);
  return undefined;
}
