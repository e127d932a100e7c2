/** A model that looks at the times of events was asked about sessions without any. */
export class MissingTimesError extends Error {
  override readonly name = 'MissingTimesError';
}
