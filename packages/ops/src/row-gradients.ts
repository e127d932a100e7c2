import type { Scalar, Tensor, Tensor1D, Tensor2D, Variable } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import type { MovedRows } from './fused-kernels.ts';
import { gather, scatter } from './plain-rows.ts';
import { withGradient } from './with-gradient.ts';

/** The gradient of a parameter; with `rows`, of those rows alone (each once), all others being 0. */
export interface ParameterGradient {
  readonly gradient: Tensor;
  readonly rows?: MovedRows;
}

/** What the ops leave here instead of in an array as large as the table. */
interface RowSink {
  readonly parts: Map<unknown, { readonly rows: MovedRows; readonly gradient: Tensor }[]>;
  /** Connects what was picked with the loss: the table itself is no input of the pick. */
  readonly anchor: Variable;
}

let active: RowSink | undefined;

/**
 * Value and gradients of a loss, where a table that was only looked up (`embed`, `gatherRows`, `sampledHead`) has a gradient
 * of the rows that were, and no array as large as the table is made. A table that other operations read too (a softmax over
 * all items) has a whole gradient.
 *
 * @returns both to be disposed by the caller; variables that the loss does not depend on are left out
 * @throws when the loss depends on none of the variables
 */
export function gradientsByRows(
  f: () => Scalar,
  variables: readonly Variable[],
): { value: Scalar; gradients: Map<Variable, ParameterGradient> } {
  const anchor = tf.tidy(() => tf.variable(tf.scalar(0)));
  const sink: RowSink = { parts: new Map(variables.map((variable) => [variable, []])), anchor };
  const before = active;
  active = sink;
  try {
    const { value, grads } = tf.variableGrads(f, [...variables, sink.anchor]);
    const gradients = new Map<Variable, ParameterGradient>();
    for (const variable of variables) {
      const gradient = combine(variable, grads[variable.name], sink.parts.get(variable) ?? []);
      if (gradient) gradients.set(variable, gradient);
    }
    tf.dispose(grads[sink.anchor.name]);
    return { value, gradients };
  } finally {
    active = before;
    for (const parts of sink.parts.values()) for (const part of parts) part.gradient.dispose();
    sink.anchor.dispose();
  }
}

function combine(
  variable: Variable,
  whole: Tensor | undefined,
  parts: readonly { rows: MovedRows; gradient: Tensor }[],
): ParameterGradient | undefined {
  if (parts.length === 0) return whole && { gradient: whole };
  if (parts.length === 1 && !whole) return { rows: parts[0].rows, gradient: parts[0].gradient.clone() };
  const { rows, places } = distinctRows(
    parts.map((part) => part.rows),
    variable.shape[0],
  );
  const width = variable.shape.slice(1).reduce((product, size) => product * size, 1);
  const gradient = tf.tidy(() => {
    const all = tf.concat(parts.map((part) => tf.reshape(part.gradient, [-1, width]) as Tensor2D));
    if (!whole) return tf.reshape(scatter(all, concat(places), rows.length), [rows.length, ...variable.shape.slice(1)]);
    const ids = concat(parts.map((part) => part.rows));
    return tf.add(whole, tf.reshape(scatter(all, ids, variable.shape[0]), variable.shape));
  });
  whole?.dispose();
  return whole ? { gradient } : { rows, gradient };
}

/** Whether the gradient of that table is being collected by rows. */
export function isByRows(table: Tensor): boolean {
  return active?.parts.has(table) ?? false;
}

/** The given rows (each once) of a table for which `isByRows`. */
export function pickRows<T extends Tensor1D | Tensor2D>(table: T, rows: MovedRows): T {
  const sink = active as RowSink;
  const pick = () =>
    tf.reshape(gather(tf.reshape(table, [table.shape[0], -1]), rows), [rows.length, ...table.shape.slice(1)]);
  return withGradient(
    [sink.anchor as Tensor],
    () => ({ value: tf.tidy(pick) }),
    (gradient) => {
      sink.parts.get(table)?.push({ rows, gradient: tf.keep(gradient.clone()) });
      return [tf.scalar(0)];
    },
  ) as T;
}

// One place for every row of the largest table seen, all 0 between calls: clearing what was written costs less than a map.
let placeOf = new Int32Array(0);

/** Every row that occurs in the lists, once, and each list as places in them. */
export function distinctRows(
  lists: readonly Int32Array[],
  numRows: number,
): { rows: Int32Array; places: Int32Array[] } {
  if (placeOf.length < numRows) placeOf = new Int32Array(numRows);
  const rows = new Int32Array(lists.reduce((sum, list) => sum + list.length, 0));
  let count = 0;
  const places = lists.map((list) => {
    const own = new Int32Array(list.length);
    for (let i = 0; i < list.length; i++) {
      const row = list[i];
      if (placeOf[row] === 0) {
        rows[count++] = row;
        placeOf[row] = count;
      }
      own[i] = placeOf[row] - 1;
    }
    return own;
  });
  for (let i = 0; i < count; i++) placeOf[rows[i]] = 0;
  return { rows: rows.slice(0, count), places };
}

function concat(lists: readonly Int32Array[]): Int32Array {
  const all = new Int32Array(lists.reduce((sum, list) => sum + list.length, 0));
  let next = 0;
  for (const list of lists) {
    all.set(list, next);
    next += list.length;
  }
  return all;
}
