import { z } from 'zod';

/** The options of the generated shop, as they stand in an experiment file. The defaults give about 72,000 events. */
export const shopSchema = z.strictObject({
  /** Days in the log. */
  days: z.int().min(1).max(3650).default(8),
  sessionsPerDay: z.int().min(1).default(1500),
  /** Items on sale on any day. */
  numItems: z.int().min(20).default(1000),
  numCategories: z.int().min(2).default(10),
  /** A category is divided into product lines of similar items; lines follow one another, items are chosen within. */
  linesPerCategory: z.int().min(1).default(12),
  /** Items that appear at the beginning of each day after the first; as many old ones are retired. */
  newItemsPerDay: z.int().min(0).default(20),
  /** Mean events in a session; the shortest has 2. */
  meanLength: z.number().min(2).max(1000).default(6),
  /** Share of clicks that follow nothing but the day's popularity. */
  noise: z.number().min(0).max(1).default(0.1),
  /** How much an item's popularity changes from day to day (deviation of its logarithm). */
  drift: z.number().min(0).default(0.3),
  /** First day, UTC. */
  startDate: z.iso.date().default('2024-01-01'),
  seed: z.int().min(0).default(1),
});

export type ShopOptions = z.output<typeof shopSchema>;
export type ShopInput = z.input<typeof shopSchema>;

/**
 * Fills in the defaults.
 *
 * @throws when an option is out of range or lines would be left without items
 */
export function parseShopOptions(input: ShopInput = {}): ShopOptions {
  const options = shopSchema.parse(input);
  const numLines = options.numCategories * options.linesPerCategory;
  if (numLines < 4) throw new Error(`shop: numCategories × linesPerCategory must be at least 4, got ${numLines}`);
  if (options.numItems < 2 * numLines) {
    throw new Error(
      `shop: ${options.numItems} items are too few for ${numLines} product lines of at least 2; raise numItems or lower linesPerCategory`,
    );
  }
  return options;
}
