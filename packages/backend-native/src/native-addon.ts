import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

type Floats = Float32Array;
type OptionalFloats = Float32Array | undefined;
type Ids = Int32Array;
type OptionalIds = Int32Array | undefined;
/** active, seed, threshold, scale */
export type DropoutNumbers = readonly [active: number, seed: number, threshold: number, scale: number];

/**
 * The C++ side, function by function. Sizes come first, then inputs, then outputs; every array must have exactly the
 * length that the sizes imply, or the call throws a TypeError.
 */
export interface NativeAddon {
  matMul(...args: [...sizes: number[], a: Floats, b: Floats, c: Floats]): void;
  gather(tableRows: number, numRows: number, width: number, x: Floats, rows: Ids, y: Floats): void;
  scatter(...args: [...number[], dy: Floats, rows: Ids, y: Floats]): void;
  embed(
    ...args: [
      ...number[],
      table: Floats,
      itemIds: Ids,
      positionTable: OptionalFloats,
      positions: OptionalIds,
      y: Floats,
    ]
  ): void;
  residualAdd(...args: [...number[], x: Floats, residual: OptionalFloats, y: Floats]): void;
  norm(...args: (number | OptionalFloats)[]): void;
  normGradient(...args: (number | OptionalFloats)[]): void;
  linear(...args: (number | OptionalFloats)[]): void;
  linearGradient(...args: (number | OptionalFloats)[]): void;
  attention(...args: (number | OptionalFloats | Ids | Uint8Array)[]): void;
  attentionGradient(...args: (number | OptionalFloats | Ids | Uint8Array)[]): void;
  gru(...args: (number | Floats | Ids)[]): void;
  gruGradient(...args: (number | Floats | Ids)[]): void;
  recurrence(...args: (number | Floats | Ids)[]): void;
  recurrenceGradient(...args: (number | Floats | Ids)[]): void;
  /** @returns the mean loss */
  head(...args: (number | OptionalFloats | Ids)[]): number;
  /** @returns the mean loss */
  sampledHead(...args: (number | OptionalFloats | OptionalIds)[]): number;
  /** Ranks, the k best, or both. @returns the first row with a score that is not finite, or −1 */
  scores(...args: (number | OptionalFloats | OptionalIds)[]): number;
  /** @returns the first row with a score that is not finite, or −1 */
  sampleItems(...args: (number | OptionalFloats | Float64Array | Ids)[]): number;
  /** Without `rows` the whole parameter moves. */
  adam(...args: (number | Floats | OptionalIds)[]): void;
  adagrad(...args: (number | OptionalFloats | OptionalIds)[]): void;
  sgd(...args: (number | OptionalFloats | OptionalIds)[]): void;
  sumSquares(count: number, x: Floats): number;
  scale(count: number, factor: number, x: Floats): void;
  binary(kind: number, count: number, aCount: number, bCount: number, a: Floats, b: Floats, y: Floats): void;
  unary(kind: number, count: number, x: Floats, y: Floats): void;
  /** The kernels' own exp (0), sigmoid (1), tanh (2) and normal distribution (3), for the tests of their accuracy. */
  evaluate(kind: number, count: number, x: Floats, y: Floats): void;
  sums(overColumns: number, numRows: number, width: number, x: Floats, y: Floats): void;
  transpose(numRows: number, width: number, x: Floats, y: Floats): void;
  /** Floating-point operations per second of multiply-adds in registers, on all threads together. */
  measurePeak(): number;
  /** @returns the number that is in use from now on */
  setNumThreads(count: number): number;
  /** @returns false when this processor cannot run that set */
  setInstructionSet(name: string): boolean;
  /** Those that run here, best first. */
  instructionSets(): string[];
  prepareBuffer(buffer: ArrayBuffer): number;
  /** 1 when the chosen instruction set can multiply bfloat16 operands. */
  hasBf16(): number;
  /** 1 lets instruction sets without such products make them of single-precision ones, slowly: for tests. */
  emulateBf16(on: number): void;
  takeScratchPeak(): number;
  idleScratchBytes(): number;
}

export type LoadedAddon = { readonly addon: NativeAddon } | { readonly reason: string };

const INSTALL_HINT = 'apt-get install g++ && npm rebuild @nimue/backend-native';

/** The platform's prebuilt package when it is installed, else what the install script has compiled. */
export function loadNativeAddon(): LoadedAddon {
  const require = createRequire(import.meta.url);
  const prebuilt = `@nimue/backend-native-${process.platform}-${process.arch}`;
  try {
    return { addon: require(prebuilt) as NativeAddon };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') {
      return { reason: `${prebuilt} does not load: ${firstLine(error)}` };
    }
  }
  const path = process.env.NIMUE_NATIVE_ADDON ?? compiledAddonPath();
  if (!existsSync(path)) return { reason: `the native kernels are not built; ${INSTALL_HINT}` };
  try {
    return { addon: require(path) as NativeAddon };
  } catch (error) {
    return { reason: `the native kernels do not load (${firstLine(error)}); ${INSTALL_HINT}` };
  }
}

function compiledAddonPath(): string {
  return join(dirname(fileURLToPath(import.meta.url)), '..', 'build', 'release', 'nimue-native.node');
}

function firstLine(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split('\n')[0];
}
