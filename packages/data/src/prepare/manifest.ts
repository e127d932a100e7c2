import { open, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { messageOf } from '../read/engine.ts';

export const MANIFEST_FILE = 'manifest.json';
/** Raised when the layout changes: older folders are then prepared again. */
export const LAYOUT_VERSION = 3;

const countsSchema = z.object({
  numEvents: z.int(),
  numItems: z.int(),
  numSessions: z.int(),
  numKeptSessions: z.int(),
  numKeptEvents: z.int(),
  numRepeatedEvents: z.int(),
  numShortSessions: z.int(),
  numTruncatedEvents: z.int(),
  numMissingEvents: z.int(),
  numOtherTypeEvents: z.int(),
  numRareEvents: z.int(),
  numSessionsOutside: z.int(),
  /** Sessions that a sample left out; they count as kept. */
  numUnsampledSessions: z.int().optional(),
});

/** What happened to the log on its way into windows. */
export type PreparedCounts = z.output<typeof countsSchema>;

const manifestSchema = z.object({
  layout: z.literal(LAYOUT_VERSION),
  key: z.string(),
  /** What was prepared, for people: the sources and options behind the key. */
  source: z.unknown(),
  counts: countsSchema,
  windows: z.array(
    z.object({ id: z.string(), startMs: z.number(), endMs: z.number(), numSessions: z.int(), numEvents: z.int() }),
  ),
  numRawItems: z.int(),
  hasTimes: z.boolean(),
  /** Columns that are carried along, in the order of the files. */
  columns: z.array(z.object({ name: z.string(), kind: z.enum(['number', 'text', 'weight']) })),
  /** Size of every file, relative to the folder. */
  files: z.record(z.string(), z.int()),
});

export type Manifest = z.output<typeof manifestSchema>;

/**
 * Writes the manifest, the last file of a folder: under another name, synced, then renamed. Its presence means that the
 * folder is complete.
 */
export async function writeManifest(directory: string, manifest: Manifest): Promise<void> {
  const temporary = join(directory, `${MANIFEST_FILE}.part`);
  const file = await open(temporary, 'w');
  // Windows are written in any order; the same data set has the same manifest.
  const files = Object.fromEntries(Object.entries(manifest.files).sort(([a], [b]) => (a < b ? -1 : 1)));
  try {
    await file.writeFile(`${JSON.stringify({ ...manifest, files }, null, 1)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, join(directory, MANIFEST_FILE));
}

/**
 * Reads the manifest and checks that every file is there in its full size.
 *
 * @throws when the folder is not a complete prepared data set
 */
export async function readManifest(directory: string): Promise<Manifest> {
  const path = join(directory, MANIFEST_FILE);
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new Error(
      `openPrepared: ${directory} has no readable ${MANIFEST_FILE}, so it is not complete (${messageOf(error)}); prepare it again`,
    );
  });
  let manifest: Manifest;
  try {
    manifest = manifestSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new Error(
      `openPrepared: ${path} is damaged or of another version (${messageOf(error).split('\n')[0]}); prepare it again`,
    );
  }
  for (const [name, bytes] of Object.entries(manifest.files)) {
    const found = await stat(join(directory, name)).catch(() => undefined);
    if (found?.size === bytes) continue;
    throw new Error(
      `openPrepared: ${join(directory, name)} has ${found?.size ?? 'no'} bytes, expected ${bytes}; prepare the folder again`,
    );
  }
  return manifest;
}
