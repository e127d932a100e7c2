/** The user's file, options or data are at fault: the command ends with exit code 2. */
export class InputError extends Error {
  override readonly name: string = 'InputError';
}
