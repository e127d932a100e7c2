import { z } from 'zod';

/** The options of the generated shop, as they stand in an experiment file. The defaults give about 72,000 events. */
export const shopSchema = z.strictObject({
  days: z.int().min(1).max(3650).default(8).describe('Days in the log.'),
  sessionsPerDay: z.int().min(1).default(1500).describe('Sessions that start on a day.'),
  numItems: z.int().min(20).default(1000).describe('Items on sale on any day.'),
  numCategories: z.int().min(2).default(10).describe('Categories of items; sessions stay in one for a while.'),
  linesPerCategory: z
    .int()
    .min(1)
    .default(12)
    .describe(
      'A category is divided into product lines of similar items; lines follow one another, items are chosen within.',
    ),
  newItemsPerDay: z
    .int()
    .min(0)
    .default(20)
    .describe('Items that appear at the beginning of each day after the first; as many old ones are retired.'),
  meanLength: z.number().min(2).max(1000).default(6).describe('Mean events in a session; the shortest has 2.'),
  noise: z
    .number()
    .min(0)
    .max(1)
    .default(0.1)
    .describe("Share of clicks that follow nothing but the day's popularity."),
  drift: z
    .number()
    .min(0)
    .default(0.3)
    .describe("How much an item's popularity changes from day to day (deviation of its logarithm)."),
  startDate: z.iso.date().default('2024-01-01').describe('First day, UTC.'),
  seed: z.int().min(0).default(1).describe('The same seed gives the same log.'),
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
