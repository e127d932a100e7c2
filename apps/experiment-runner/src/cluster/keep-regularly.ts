/**
 * Calls `keep` every so often, one call at a time; what it throws is told and changes nothing else.
 *
 * @returns stops it, after a last call
 */
export function keepRegularly(
  keep: () => Promise<void>,
  everyMs: number,
  onError: (message: string) => void,
): () => Promise<void> {
  let last: Promise<void> = Promise.resolve();
  let isKeeping = false;
  const keepNow = () => {
    isKeeping = true;
    last = keep()
      .catch((error: unknown) => onError(error instanceof Error ? error.message : String(error)))
      .finally(() => {
        isKeeping = false;
      });
    return last;
  };
  const timer = setInterval(() => void (isKeeping || keepNow()), everyMs);
  return async () => {
    clearInterval(timer);
    await last;
    await keepNow();
  };
}
