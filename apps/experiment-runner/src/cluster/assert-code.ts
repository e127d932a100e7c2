/** @throws when the code is another one; another worker may have the right one, so the job is tried again */
export function assertCode(asked: string, here: string): void {
  if (asked !== here) throw new Error(`this worker has Nimue ${here}, the sweep is of ${asked}`);
}
