import { InputError } from '../input-error.ts';

/** Where the mistake stands: in the file, or on the command line. */
export type Place =
  | { readonly kind: 'file'; readonly file: string; readonly line: number; readonly column: number }
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

  constructor(problems: readonly Problem[]) {
    const sorted = [...problems].sort(comparePlaces);
    super(sorted.map(formatProblem).join('\n'));
    this.problems = sorted;
  }
}

/** `file:line:column: path: message`, or `--set path=value: path: message`. */
export function formatProblem({ place, path, message }: Problem): string {
  const where = formatPlace(place);
  return path.length === 0 ? `${where}: ${message}` : `${where}: ${formatPath(path)}: ${message}`;
}

/** `file:line:column`, or `--set path=value` */
export function formatPlace(place: Place): string {
  return place.kind === 'file' ? `${place.file}:${place.line}:${place.column}` : `--set ${place.text}`;
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
  // The files of one experiment keep the order in which they were read.
  if (a.place.file !== b.place.file) return 0;
  return a.place.line - b.place.line || a.place.column - b.place.column;
}
