import type { AnsweringModel } from './answering-model.ts';
import { openGraphModel } from './open-graph-model.ts';
import { openModelFolder } from './open-model-folder.ts';

/** Opens a model from the files that a person chose or dropped, by what is among them. @throws saying what is missing */
export async function openFiles(files: readonly File[]): Promise<AnsweringModel> {
  const bytes: Record<string, Uint8Array> = {};
  for (const file of files) bytes[file.name] = new Uint8Array(await file.arrayBuffer());
  if (bytes['manifest.json']) return openModelFolder(bytes);
  if (bytes['model.json']) return openGraphModel(bytes);
  const given = files.map(({ name }) => name).join(', ') || 'nothing';
  throw new Error(
    `Expected the files of a model folder (manifest.json, items.json, weights.safetensors) or of a TensorFlow.js export (model.json, group1-shard1of1.bin, items.json, export.json), got ${given}.`,
  );
}

/** Opens the model that the page ships with. */
export async function openShippedModel(): Promise<AnsweringModel> {
  const names = ['manifest.json', 'items.json', 'weights.safetensors'];
  const contents = await Promise.all(
    names.map(async (name) => {
      const response = await fetch(`./model/${name}`);
      if (!response.ok) throw new Error(`${name}: ${response.status}`);
      return [name, new Uint8Array(await response.arrayBuffer())] as const;
    }),
  );
  return openModelFolder(Object.fromEntries(contents));
}

/** The files of a drop, those in folders included. */
export async function filesOfDrop(transfer: DataTransfer): Promise<File[]> {
  const entries = Array.from(transfer.items, (item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  return (await Promise.all(entries.map(filesOfEntry))).flat();
}

async function filesOfEntry(entry: FileSystemEntry): Promise<File[]> {
  if (entry.isFile)
    return [await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject))];
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const children: FileSystemEntry[] = [];
  // A reader gives at most a hundred entries at a time.
  for (;;) {
    const part = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (part.length === 0) break;
    children.push(...part);
  }
  return (await Promise.all(children.map(filesOfEntry))).flat();
}
