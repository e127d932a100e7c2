import type { OpenedModel } from '../open-model.ts';
import type { GraphOptions } from './build-graph.ts';
import type { Int8Loss } from './int8-loss.ts';

export interface ExportOptions extends GraphOptions {
  /** What `int8Items` costs, where it was measured; kept beside the model. */
  readonly int8Loss?: Int8Loss;
}

/** A format that a trained model can be put into. */
export interface ExportFormat {
  /** One line for people. */
  readonly summary: string;
  /**
   * The files, by their paths below the folder.
   *
   * @throws RequestError when the model cannot be put into this format
   */
  files(opened: OpenedModel, options: ExportOptions): ReadonlyMap<string, Uint8Array | string>;
}
