import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { mix32 } from '@nimue/ops';
import type { OpenedModel } from '../open-model.ts';
import { RequestError } from '../request.ts';
import type { GraphOptions } from './build-graph.ts';
import type { ExportFormat } from './export-format.ts';
import * as formats from './formats.ts';
import { type Int8Loss, measureInt8Loss } from './int8-loss.ts';

export type FormatName = keyof typeof formats;

export interface ExportModelOptions extends GraphOptions {
  readonly format: FormatName;
}

export interface ExportedModel {
  /** Paths below the folder. */
  readonly files: readonly string[];
  /** What `int8Items` costs this model. */
  readonly int8Loss?: Int8Loss;
}

/**
 * Writes a trained model in another format. The folder is there whole or not at all: it is written under a temporary name
 * and renamed.
 *
 * @throws RequestError when the folder exists already, or the model cannot be put into the format
 */
export function exportModel(
  opened: OpenedModel,
  folder: string,
  { format, ...options }: ExportModelOptions,
): ExportedModel {
  const writer: ExportFormat | undefined = formats[format];
  if (!writer) throw new RequestError(`there is no format '${format}'; there are ${Object.keys(formats).join(', ')}`);
  if (existsSync(folder)) throw new RequestError(`${folder}: it exists already; choose another folder or remove it`);
  const { model } = opened;
  const int8Loss = options.int8Items && model.kind === 'neural' ? measureInt8Loss(opened, model, uniform()) : undefined;
  const files = writer.files(opened, { ...options, int8Loss });
  const temporary = `${folder}.${process.pid}.tmp`;
  try {
    rmSync(temporary, { recursive: true, force: true });
    for (const [path, content] of files) {
      mkdirSync(dirname(join(temporary, path)), { recursive: true });
      writeFileSync(join(temporary, path), content, { flush: true });
    }
    renameSync(temporary, folder);
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    throw error;
  }
  return { files: [...files.keys()], ...(int8Loss && { int8Loss }) };
}

/** The same numbers each time. */
function uniform(): () => number {
  let index = 0;
  return () => mix32(index++ ^ 0x1a78) / 4294967296;
}
