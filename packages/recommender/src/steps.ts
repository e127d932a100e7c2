/** Work in pieces of some milliseconds: between two of them whoever does it may turn to something else. */
export type Steps<Result = void> = Generator<undefined, Result, undefined>;

/** Does all of it at once. */
export function runSteps<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/** Lets whatever else waits in this thread, such as requests, have its turn between two pieces. */
export async function runStepsAside<Result>(steps: Steps<Result>): Promise<Result> {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
    await new Promise((resolve) => setTimeout(resolve));
  }
}
