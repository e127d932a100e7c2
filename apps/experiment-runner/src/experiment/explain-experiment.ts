import { Document, isScalar, visit } from 'yaml';
import type { LoadedExperiment } from './load-experiment.ts';
import { formatPath, formatPlace, type Path } from './problem.ts';
import { specOfValue } from './spec-defaults.ts';

/** A value of the resolved experiment, and where it comes from: a file, a setting, its data set's spec, or the schema's default. */
export interface ExplainedValue {
  readonly path: string;
  readonly value: unknown;
  readonly from: string;
}

/** Every value of an experiment in the order of the file, defaults included. */
export function explainValues({ experiment, file }: LoadedExperiment): ExplainedValue[] {
  const values: ExplainedValue[] = [];
  const walk = (value: unknown, path: Path) => {
    if (value === undefined) return;
    const isEmpty = typeof value === 'object' && value !== null && Object.keys(value).length === 0;
    if (typeof value !== 'object' || value === null || isEmpty) {
      const origin = file.originOf(path);
      const spec = origin ? undefined : specOfValue(file.value, path);
      const from = origin ? formatPlace(origin) : spec ? `data set ${spec}` : 'default';
      values.push({ path: formatPath(path), value, from });
      return;
    }
    for (const [key, part] of Object.entries(value)) walk(part, [...path, Array.isArray(value) ? Number(key) : key]);
  };
  walk(experiment.resolved, []);
  return values;
}

/** The resolved experiment as YAML that can be run, each value with a comment that says where it comes from. */
export function explainAsYaml(loaded: LoadedExperiment): string {
  const origins = new Map(explainValues(loaded).map(({ path, from }) => [path, from]));
  const document = new Document(loaded.experiment.resolved, { aliasDuplicateObjects: false });
  visit(document, {
    Node: (key, node, ancestors) => {
      if (key === 'key') return;
      const from = origins.get(formatPath(pathOf(document, key, ancestors)));
      // A comment on an empty list would move it to a line of its own.
      if (from && isScalar(node)) node.comment = ` ${from}`;
    },
  });
  const lines = document.toString({ lineWidth: 0 }).trimEnd().split('\n');
  const cells = lines.map((line) => {
    const at = line.lastIndexOf(' # ') < 0 ? line.lastIndexOf(' #') : line.lastIndexOf(' # ');
    return at < 0 ? [line] : [line.slice(0, at), line.slice(at + 1).replace(/^#\s*/, '')];
  });
  const width = Math.min(60, Math.max(...cells.map(([text]) => text.length)));
  const own = loaded.experiment.contenders
    .filter(({ model }) => model.name)
    .map(({ label, objective, loss }) => `#   ${label}: ${objective.name}, ${loss.name}`);
  return [
    ...cells.map(([text, from]) => (from === undefined ? text : `${text.padEnd(width)} # ${from}`)),
    '# objective and loss of each model (its own where none is named)',
    ...own,
    '',
  ].join('\n');
}

function pathOf(document: Document, key: unknown, ancestors: readonly unknown[]): Path {
  const path: (string | number)[] = [];
  for (const [i, ancestor] of ancestors.entries()) {
    const child = ancestors[i + 1];
    if (ancestor === document) continue;
    if (typeof ancestor !== 'object' || ancestor === null) continue;
    if ('key' in ancestor) path.push(String(isScalar(ancestor.key) ? ancestor.key.value : ancestor.key));
    else if ('items' in ancestor && Array.isArray(ancestor.items) && !isPairs(ancestor.items)) {
      path.push(child === undefined ? Number(key) : ancestor.items.indexOf(child));
    }
  }
  return path;
}

function isPairs(items: readonly unknown[]): boolean {
  return items.some((item) => typeof item === 'object' && item !== null && 'key' in item);
}
