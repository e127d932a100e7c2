import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Found {
  readonly folder: string;
  readonly label: string;
  readonly seed: number;
}

/**
 * The model folder that a path stands for: itself, or one of those in the `models/` of a run.
 *
 * @param label which model of the run; default: the one with the best mean of the run's first metric
 * @throws naming the path and what is there instead
 */
export function findModelFolder(path: string, label?: string): string {
  if (existsSync(join(path, 'manifest.json'))) return path;
  const models = join(path, 'models');
  if (!existsSync(models)) {
    throw new Error(
      `${path}: neither a model folder (manifest.json) nor a run that kept its models (models/); expected runs/<name>/<run> or a folder that writeModelFolder wrote`,
    );
  }
  const found = readdirSync(models)
    .sort()
    .flatMap((name) => readFound(join(models, name)));
  const labels = [...new Set(found.map((model) => model.label))];
  if (found.length === 0) throw new Error(`${models}: no model in it`);
  if (label !== undefined && !labels.includes(label)) {
    throw new Error(`${path}: there is no model '${label}'; it has ${labels.join(', ')}`);
  }
  const chosen = label ?? bestLabel(join(path, 'metrics.jsonl'), labels);
  return (found.find((model) => model.label === chosen) ?? found[0]).folder;
}

function readFound(folder: string): Found[] {
  try {
    const { label, seed } = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as Found;
    return [{ folder, label, seed }];
  } catch {
    return [];
  }
}

/** By the mean of the first metric over windows and seeds; the first label where the file says nothing. */
function bestLabel(metricsFile: string, labels: readonly string[]): string {
  const sums = new Map<string, { sum: number; count: number }>();
  const lines = existsSync(metricsFile) ? readFileSync(metricsFile, 'utf8').split('\n') : [];
  for (const line of lines) {
    if (!line.trim()) continue;
    const { model, metrics } = JSON.parse(line) as { model: string; metrics: Record<string, number> };
    const [value] = Object.values(metrics);
    if (!labels.includes(model) || !Number.isFinite(value)) continue;
    const so = sums.get(model) ?? { sum: 0, count: 0 };
    sums.set(model, { sum: so.sum + value, count: so.count + 1 });
  }
  const meanOf = (label: string) => {
    const { sum, count } = sums.get(label) ?? { sum: Number.NEGATIVE_INFINITY, count: 1 };
    return sum / count;
  };
  return [...labels].sort((a, b) => meanOf(b) - meanOf(a))[0];
}
