import type { Tensor2D } from '@tensorflow/tfjs';
import { z } from 'zod';
import type { Layers } from '../neural/layers.ts';
import type { InputColumn, InputRows } from './input-column.ts';

/** What a kind of input is made with. */
export interface InputPlace {
  readonly layers: Layers;
  /** Unique within the model; begins the names of its weights: `inputs.category`. */
  readonly name: string;
  /** The width that the aggregation asks for; undefined where every input has its own. */
  readonly width?: number;
  /** Columns of the batches, by name. */
  readonly columns: ReadonlyMap<string, InputColumn>;
  readonly initStd: number;
}

/** The vectors of one input. */
export interface InputLayer {
  /** Width D of its vectors. */
  readonly size: number;
  /** Vectors of the rows [R, D]. */
  apply(rows: InputRows): Tensor2D;
  /** Makes room for the categories that the columns have now. */
  resize?(columns: ReadonlyMap<string, InputColumn>): void;
}

/** What an input kind's file exports: how it is configured, which columns it reads, and how it is made. */
export interface InputKind<Schema extends z.ZodObject = z.ZodObject> {
  /** Strict: unknown keys are refused; `kind` is its name. */
  readonly configSchema: Schema;
  /** The kind of the columns that it reads; undefined where it reads the times of events. */
  readonly reads?: 'category' | 'number';
  /** Names of the columns that it reads, among those there are; none when they are missing. */
  columnNames?(config: z.infer<Schema>, all: readonly string[]): readonly string[];
  create(config: z.infer<Schema>, place: InputPlace): InputLayer;
}

/** Keeps the schema's type with the factory. */
export function defineInputKind<Schema extends z.ZodObject>(kind: InputKind<Schema>): InputKind<Schema> {
  return kind;
}

/**
 * What an input describes. `event`: the click that the model reads. `item`: the clicked item, in whatever event, so that it
 * also describes the candidates. `contextBefore`, `contextAfter`: the session or its user, by the value of the session's
 * first visible event, added on the way in or to the body's output.
 */
export const ROLES = ['event', 'item', 'contextBefore', 'contextAfter'] as const;

/** Options of every input that reads a column. */
export const columnOptions = {
  column: z.string().min(1).describe('A column that the `features` section makes.'),
  role: z
    .enum(ROLES)
    .default('event')
    .describe("What it describes: the `event`, the `item` (also among the candidates), or the session's `context`."),
};

/** The width of an input: what is given, else what the aggregation asks for, else the rule. */
export function widthOf(size: number | undefined, width: number | undefined, rule: number): number {
  return size ?? width ?? rule;
}
