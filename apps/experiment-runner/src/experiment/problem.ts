import { InputError } from '../input-error.ts';

/** Where the mistake stands: in the file, or on the command line. */
export type Place =
  | { readonly kind: 'file'; readonly line: number; readonly column: number }
  | { readonly kind: 'setting'; readonly text: string };

/** A way into the file: `['models', 1, 'hiddenSize']`. */
export type Path = readonly (string | number)[];

export interface Problem {
  readonly place: Place;
  readonly path: Path;
  /** Expected, got, next step. */
  readonly message: string;
}

/** An experiment file that cannot be run; the message has one line per problem, in order of position. */
export class ExperimentFileError extends InputError {
  override readonly name = 'ExperimentFileError';
  readonly problems: readonly Problem[];

  constructor(file: string, problems: readonly Problem[]) {
    const sorted = [...problems].sort(comparePlaces);
    super(sorted.map((problem) => formatProblem(file, problem)).join('\n'));
    this.problems = sorted;
  }
}

/** `file:line:column: path: message`, or `--set path=value: path: message`. */
export function formatProblem(file: string, { place, path, message }: Problem): string {
  const where = place.kind === 'file' ? `${file}:${place.line}:${place.column}` : `--set ${place.text}`;
  return path.length === 0 ? `${where}: ${message}` : `${where}: ${formatPath(path)}: ${message}`;
}

/** `models[1].hiddenSize` */
export function formatPath(path: Path): string {
  return path.reduce<string>(
    (text, part) => (typeof part === 'number' ? `${text}[${part}]` : text === '' ? part : `${text}.${part}`),
    '',
  );
}

function comparePlaces(a: Problem, b: Problem): number {
  if (a.place.kind === 'setting' || b.place.kind === 'setting') {
    return Number(a.place.kind === 'setting') - Number(b.place.kind === 'setting');
  }
  return a.place.line - b.place.line || a.place.column - b.place.column;
}
