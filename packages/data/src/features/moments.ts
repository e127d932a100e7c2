import { z } from 'zod';

/** What `Moments` saves. */
export const momentsSchema = z.object({ count: z.number(), mean: z.number(), squares: z.number() });

/** Count, mean and deviation of numbers that come one by one (Welford 1962); stable where sums of squares are not. */
export class Moments {
  count = 0;
  mean = 0;
  /** Sum of the squared differences from the mean. */
  squares = 0;

  add(value: number): void {
    this.count++;
    const difference = value - this.mean;
    this.mean += difference / this.count;
    this.squares += difference * (value - this.mean);
  }

  /** Standard deviation of the population; 0 without values. */
  get deviation(): number {
    return this.count === 0 ? 0 : Math.sqrt(this.squares / this.count);
  }

  toJSON(): z.output<typeof momentsSchema> {
    const { count, mean, squares } = this;
    return { count, mean, squares };
  }

  restore({ count, mean, squares }: z.output<typeof momentsSchema>): void {
    Object.assign(this, { count, mean, squares });
  }
}
