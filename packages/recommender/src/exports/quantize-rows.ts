export interface QuantizedRows {
  readonly values: Int8Array;
  /** What the numbers of a row are multiplied by [rows]. */
  readonly scales: Float32Array;
}

/**
 * Rows of whole numbers −127 … 127, each with a scale of its own: the largest number of a row is kept, and no number is off
 * by more than half a step, 1 / 254 of the largest.
 *
 * @example
 * const { values, scales } = quantizeRows(Float32Array.of(1, -0.5, 0, 0), 2);
 * values; // → Int8Array [127, -64, 0, 0]
 * scales; // → Float32Array [0.007874015718698502, 0]
 */
export function quantizeRows(table: Float32Array, width: number): QuantizedRows {
  const values = new Int8Array(table.length);
  const scales = new Float32Array(width === 0 ? 0 : table.length / width);
  for (let row = 0; row < scales.length; row++) {
    const part = table.subarray(row * width, (row + 1) * width);
    const largest = part.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
    scales[row] = largest / 127;
    if (largest === 0) continue;
    part.forEach((value, c) => {
      values[row * width + c] = Math.round((value / largest) * 127);
    });
  }
  return { values, scales };
}

/** The numbers again [rows · width]. */
export function dequantizeRows({ values, scales }: QuantizedRows, width: number): Float32Array {
  return Float32Array.from(values, (value, i) => value * scales[Math.floor(i / width)]);
}
