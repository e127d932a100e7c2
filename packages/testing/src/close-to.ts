/**
 * @throws with the first element where |actual − expected| > tolerance · (1 + |expected|), or where the lengths differ
 * or a number is NaN
 */
export function assertClose(
  name: string,
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance = 1e-5,
): void {
  if (actual.length !== expected.length) {
    throw new Error(`${name}: length ${actual.length}, expected ${expected.length}`);
  }
  for (let i = 0; i < actual.length; i++) {
    const difference = Math.abs(actual[i] - expected[i]);
    if (!(difference <= tolerance * (1 + Math.abs(expected[i])))) {
      throw new Error(`${name}[${i}]: got ${actual[i]}, expected ${expected[i]} (difference ${difference})`);
    }
  }
}
