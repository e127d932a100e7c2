/**
 * Gradient of a scalar function by central differences.
 *
 * @param f reads `x` and returns a number; called 2 · x.length times with one element moved
 * @param x changed during the call, restored afterwards
 */
export function numericGradient(f: () => number, x: Float32Array | Float64Array, step = 1e-2): Float64Array {
  const gradient = new Float64Array(x.length);
  for (let i = 0; i < x.length; i++) {
    const before = x[i];
    x[i] = before + step;
    const above = x[i];
    const high = f();
    x[i] = before - step;
    const below = x[i];
    const low = f();
    x[i] = before;
    gradient[i] = (high - low) / (above - below);
  }
  return gradient;
}
