import type { MovedRows } from '@nimue/ops';
import type { NamedTensorMap } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';

/** Gradients of a batch and how much it counts: the weights of its targets together. */
export interface WeightedGradients {
  readonly gradients: NamedTensorMap;
  /** Rows of gradients that are by rows. */
  readonly rows: Readonly<Record<string, MovedRows>>;
  readonly weight: number;
}

/**
 * The mean of gradients, each weighed by its batch's targets: that of one batch of them all, to float error. Of a table
 * with rows it has the rows that any part has; where a part has all rows, so has the mean. Disposes the parts.
 */
export function meanGradients(parts: readonly WeightedGradients[]): Pick<WeightedGradients, 'gradients' | 'rows'> {
  const total = parts.reduce((sum, { weight }) => sum + weight, 0);
  const gradients: NamedTensorMap = {};
  const rows: Record<string, MovedRows> = {};
  for (const name of new Set(parts.flatMap((part) => Object.keys(part.gradients)))) {
    const own = parts.filter((part) => part.gradients[name]);
    const whole = own.find((part) => !part.rows[name]);
    const union = whole ? undefined : Int32Array.from(new Set(own.flatMap((part) => [...part.rows[name]]))).sort();
    const [numRows, ...rest] = (whole ?? own[0]).gradients[name].shape;
    const shape = [union ? union.length : numRows, ...rest];
    const width = rest.reduce((product, n) => product * n, 1);
    const placeOf = union && new Map([...union].map((row, place) => [row, place]));
    const sum = new Float32Array(shape.reduce((product, n) => product * n, 1));
    for (const part of own) {
      const values = part.gradients[name].dataSync() as Float32Array;
      const share = part.weight / (total || 1);
      const moved = part.rows[name];
      if (!moved) {
        for (let i = 0; i < sum.length; i++) sum[i] += share * values[i];
        continue;
      }
      moved.forEach((row, r) => {
        const at = (placeOf?.get(row) ?? row) * width;
        for (let i = 0; i < width; i++) sum[at + i] += share * values[r * width + i];
      });
    }
    gradients[name] = tf.tensor(sum, shape);
    if (union) rows[name] = union;
  }
  for (const part of parts) tf.dispose(part.gradients);
  return { gradients, rows };
}
