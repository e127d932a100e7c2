/** @throws when a session is longer than the model sees. */
export function assertWithin(offsets: Int32Array, maxLength: number, modelName: string): void {
  for (let b = 1; b < offsets.length; b++) {
    if (offsets[b] - offsets[b - 1] <= maxLength) continue;
    throw new Error(
      `${modelName}: a session has more than maxLength = ${maxLength} events; truncate it (keeping the newest) or raise maxLength`,
    );
  }
}
