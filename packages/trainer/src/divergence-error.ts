/** Training has produced a number that is not one. The weights from before the step are lost with the run. */
export class DivergenceError extends Error {
  override readonly name = 'DivergenceError';

  constructor(
    what: string,
    value: number,
    where: { model: string; window: string; step: number; learningRate: number },
  ) {
    super(
      `${where.model}: the ${what} became ${value} at step ${where.step} of window ${where.window} ` +
        `(learning rate ${where.learningRate}); lower training.learningRate or set training.clipNorm`,
    );
  }
}
