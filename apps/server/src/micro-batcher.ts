export interface MicroBatcherOptions<Question, Answer> {
  /** Questions answered by one pass at most. */
  readonly maxSize: number;
  /** Answers in the order of the questions; an Error in the place of one that cannot be answered. */
  answer(questions: readonly Question[]): readonly (Answer | Error)[];
  /** Told the size of every pass. */
  readonly onBatch?: (size: number) => void;
}

/**
 * Lays questions that wait at the same time together. Nobody waits for company: a lone question is answered as soon as the event
 * loop has read what has come in, and while a pass computes the next ones gather.
 *
 * @example
 * const batcher = new MicroBatcher({ maxSize: 64, answer: (numbers) => numbers.map((n) => n * n) });
 * await Promise.all([batcher.ask(2), batcher.ask(3)]); // → [4, 9]
 */
export class MicroBatcher<Question, Answer> {
  readonly #options: MicroBatcherOptions<Question, Answer>;
  #waiting: { question: Question; resolve(answer: Answer): void; reject(error: unknown): void }[] = [];
  #isScheduled = false;

  constructor(options: MicroBatcherOptions<Question, Answer>) {
    this.#options = options;
  }

  /** Questions that wait. */
  get numWaiting(): number {
    return this.#waiting.length;
  }

  ask(question: Question): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ question, resolve, reject });
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#isScheduled || this.#waiting.length === 0) return;
    this.#isScheduled = true;
    // After the sockets that are ready have been read.
    setImmediate(() => {
      this.#isScheduled = false;
      this.#answerSome();
      this.#schedule();
    });
  }

  #answerSome(): void {
    const batch = this.#waiting.splice(0, this.#options.maxSize);
    try {
      const answers = this.#options.answer(batch.map(({ question }) => question));
      batch.forEach(({ resolve, reject }, i) => {
        const answer = answers[i];
        if (answer instanceof Error) reject(answer);
        else resolve(answer);
      });
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
    this.#options.onBatch?.(batch.length);
  }
}
