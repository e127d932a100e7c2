import type { InputColumn } from './input-column.ts';
import type { InputKind } from './input-kind.ts';
import type { InputsConfig } from './inputs-schema.ts';
import * as kinds from './kinds.ts';

/** An input that does not go with the columns there are. */
export interface ColumnProblem {
  /** Within `inputs`. */
  readonly path: readonly (string | number)[];
  readonly message: string;
  /** A name that is not there, where that is the problem, and those that would do. */
  readonly unknown?: { readonly name: string; readonly known: readonly string[] };
}

/** Why the inputs cannot be made of these columns; empty when they can. */
export function explainColumns({ features }: InputsConfig, columns: readonly InputColumn[]): ColumnProblem[] {
  return features.flatMap((input, index): ColumnProblem[] => {
    if (input.kind === 'timeInterval') return [];
    const { reads, columnNames } = kinds[input.kind] as unknown as InputKind;
    const path = ['features', index, 'column'];
    const names = columnNames?.(
      input,
      columns.map(({ name }) => name),
    ) ?? [input.column];
    const fitting = columns.filter(({ kind }) => kind === reads).map(({ name }) => name);
    const known = columnNames ? [...new Set(fitting.flatMap((name) => name.match(/^(.*)_0$/)?.[1] ?? []))] : fitting;
    const found = columns.filter(({ name }) => names.includes(name));
    if (found.length === 0) {
      const there = known.length > 0 ? `expected one of ${known.join(', ')}` : 'the features section makes none';
      const message = `no feature '${input.column}' for kind: ${input.kind}; ${there}`;
      return [{ path, message, unknown: { name: input.column, known } }];
    }
    const wrong = found.find(({ kind }) => kind !== reads);
    if (!wrong) return [];
    const word = { category: 'a category', number: 'a number' } as const;
    const message = `'${wrong.name}' is ${word[wrong.kind]}, but kind: ${input.kind} reads ${word[reads ?? 'number']}`;
    return [{ path, message }];
  });
}
