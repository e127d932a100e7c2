/** The server cannot answer now, and can be asked again later. */
export class UnavailableError extends Error {
  override readonly name = 'UnavailableError';
}
