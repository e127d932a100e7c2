import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type Entry, openPromise, type ZipFile } from 'yauzl';
import { InputError } from '../input-error.ts';

/** What a TensorFlow wheel holds for the binding of tfjs-node. */
export interface UnpackedWheel {
  /** Of TensorFlow, such as 2.21.0. */
  readonly version: string;
  /** Distribution name, such as tensorflow_cpu. */
  readonly distribution: string;
  readonly includeDirectory: string;
  /** Names of the libraries to link, in `libraryDirectory`. */
  readonly libraries: readonly string[];
  readonly libraryDirectory: string;
}

/** TensorFlow's C library, under the names it has had in wheels for Linux. */
const LIBRARY = /^tensorflow\/(libtensorflow_(?:cc|framework)\.so\.\d+)$/;
/** Headers that its C interface includes; those of the libraries that it is built from are not needed. */
const HEADER = /^tensorflow\/include\/(?:tensorflow|tsl|xla)\/.*\.h$/;
const METADATA = /^([A-Za-z0-9_]+)-([0-9][^-/]*)\.dist-info\/METADATA$/;

/**
 * Unpacks the C library and its headers of a TensorFlow wheel for Linux; of some 15,000 files 2 libraries and the headers
 * of the C interface.
 *
 * @throws InputError when the file is no zip archive, is cut off, or is another wheel
 */
export async function unpackWheel(file: string, directory: string): Promise<UnpackedWheel> {
  const zip = await openPromise(file).catch((error: Error) => {
    throw new InputError(`${file}: is no wheel: ${error.message}; download it again`);
  });
  let metadata: RegExpExecArray | undefined;
  const libraries: string[] = [];
  try {
    for await (const entry of zip.eachEntry()) {
      const name: string = entry.fileName;
      metadata ??= METADATA.exec(name) ?? undefined;
      const library = LIBRARY.exec(name)?.[1];
      if (library) libraries.push(library);
      if (library || HEADER.test(name)) await extract(zip, entry, join(directory, name));
    }
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`${file}: is damaged: ${error instanceof Error ? error.message : error}; download it again`);
  } finally {
    zip.close();
  }
  if (!metadata || libraries.length < 2) {
    throw new InputError(
      `${file}: expected a TensorFlow wheel for Linux with libtensorflow_cc and libtensorflow_framework in it, got ` +
        `${metadata ? `${metadata[1]} ${metadata[2]}` : 'a zip archive that is no wheel'}; take one of tensorflow-cpu or tensorflow for manylinux`,
    );
  }
  const [, distribution, version] = metadata;
  return {
    version,
    distribution,
    libraries: libraries.sort(),
    libraryDirectory: join(directory, 'tensorflow'),
    includeDirectory: join(directory, 'tensorflow', 'include'),
  };
}

async function extract(zip: ZipFile, entry: Entry, target: string): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  await pipeline(await zip.openReadStreamPromise(entry), createWriteStream(target));
}
