import { z } from 'zod';

/** The version of the folder's format that is written, and the only one that is read. */
export const SCHEMA_VERSION = 1;

const named = z.object({ name: z.string().min(1), config: z.unknown() });

const column = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('category'), name: z.string(), numValues: z.int().min(0) }),
  z.object({ kind: z.literal('number'), name: z.string() }),
]);

/** `manifest.json` of a model folder. */
export const manifestSchema = z.object({
  format: z.literal('nimue-model'),
  schemaVersion: z.literal(SCHEMA_VERSION),
  label: z.string(),
  model: named,
  objective: named,
  seed: z.int(),
  /** Rows of the item table, reserved ids included. */
  numRows: z.int().min(0),
  maxLength: z.int().min(1).optional(),
  trainWindows: z.array(z.string()),
  /** Columns that the features make. */
  columns: z.array(column),
  /** What `FeaturePipeline.toJSON` gave. */
  features: z.unknown().optional(),
  /** Sessions of a model that counts, window by window. */
  numCountedWindows: z.int().min(0),
  /** sha256 of the other files, by name. */
  files: z.object({ 'items.json': z.string(), 'weights.safetensors': z.string() }),
});

export type Manifest = z.output<typeof manifestSchema>;

/** `items.json`: raw ids in the order of their dense ids, and titles where they are known. */
export const itemsSchema = z.object({
  ids: z.array(z.string()),
  titles: z.record(z.string(), z.string()).optional(),
});
