import { keyOfColumn, type Sessions } from '@nimue/data';

/** The values of text columns that occurred in train windows: which users, shops or devices training has met. */
export class SeenValues {
  readonly #codes: ReadonlyMap<string, Set<number>>;

  /** @param columns names of the columns to watch */
  constructor(columns: readonly string[] = []) {
    this.#codes = new Map(columns.map((column) => [column, new Set()]));
  }

  get isEmpty(): boolean {
    return this.#codes.size === 0;
  }

  /** Takes in a train window. */
  add(sessions: Sessions): void {
    for (const [column, seen] of this.#codes) {
      for (const code of textCodes(sessions, column)) if (!Number.isNaN(code)) seen.add(code);
    }
  }

  has(column: string, code: number): boolean {
    return this.#codes.get(column)?.has(code) ?? false;
  }
}

/** Codes of a text column [T]. @throws when the sessions do not carry it */
export function textCodes(sessions: Sessions, column: string): Float64Array {
  const codes = sessions.columns?.[keyOfColumn({ name: column, kind: 'text' })];
  if (codes) return codes;
  const there = Object.keys(sessions.columns ?? {}).join(', ') || 'none';
  throw new Error(
    `evaluation: the sessions do not carry the column '${column}' as text (carried: ${there}); prepare them with columnsOfEvaluation`,
  );
}
