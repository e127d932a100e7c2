import type { AttentionDirection, SessionBatch } from '@nimue/batch';
import type { ExcludedItems, RankedTopItems, TopItems } from '@nimue/ops';
import type { Scalar, Tensor1D, Tensor2D } from '@tensorflow/tfjs';
import type { InputColumn } from './inputs/input-column.ts';
import type { CarriedStates } from './neural/carried-states.ts';
import type { SessionMemory } from './neural/session-memory.ts';
import type { NewItems } from './new-items.ts';
import type { ParameterStore } from './parameter-store.ts';

/** What every model can do, whether it learns by gradient or by counting. */
export interface NextItemModel {
  /** The name in an experiment file. */
  readonly name: string;
  /** Rows V of the item table, reserved ids included: ids 0 … numRows − 1 exist. */
  readonly numRows: number;
  /** Sessions must be cut to this many events (the newest) first; unlimited when absent. */
  readonly maxLength?: number;
  /**
   * Ranks [N] (1-based, ties count against) of `batch.targets.itemIds` at `batch.targets.positions`; what the model sees
   * is the session up to and including that position, for a causal model, and never the target.
   */
  rankTargets(batch: SessionBatch, options?: TargetRankingOptions): Int32Array;
  /** The k best next items [N, k] at `batch.targets.positions`; the target ids are not looked at. */
  recommend(batch: SessionBatch, k: number, options?: RankingOptions): TopItems;
  /** Both of the above by one pass over the catalogue, where a model has it; `rankAndRecommend` serves every model. */
  rankAndRecommend?(batch: SessionBatch, k: number, options?: RankingOptions): RankedTopItems;
  /** Makes room for ids up to numRows − 1; no other score changes. Models that count need no `newItems`. */
  resizeItems(numRows: number, newItems?: NewItems): void;
  dispose(): void;
}

export interface RankingOptions {
  /** Items that must not be recommended, per target. A target stays in where its rank is asked for. */
  readonly excluded?: ExcludedItems;
  /** The only items that can be recommended, ids rising; a target outside them is unranked. Default: all. */
  readonly candidates?: Int32Array;
  /**
   * For a model that `remembersSessions`, asked about one session at its newest event: computes only what the memory lacks.
   * The answer is the same up to rounding.
   */
  readonly memory?: SessionMemory;
}

/** How a target is placed. */
export interface TargetRankingOptions extends RankingOptions {
  /** Where a target stands among the items that score as it does: behind them all (default), or before them all. */
  readonly ties?: 'conservative' | 'optimistic';
  /**
   * Ranks every target among these items of its own alone [N · M], row after row. It flatters: use it only to repeat
   * papers that did so.
   */
  readonly among?: Int32Array;
}

/** A pass over the data either learns (and drops out, by this seed) or only predicts. */
export type EncodeMode = (
  | { readonly training: false }
  | {
      readonly training: true;
      readonly seed: number;
      /** No item is swapped with another's, whatever the swap noise. */
      readonly keepsItems?: boolean;
    }
) & {
  /** For a model that `carriesState`: sessions of one event each go on from these states. */
  readonly carried?: CarriedStates;
  /** For a model that `remembersSessions` and only predicts (`RankingOptions.memory`). */
  readonly memory?: SessionMemory;
};

/** Mean loss of N states against the items that were expected. */
export type TargetLoss = (inputs: {
  readonly hidden: Tensor2D;
  readonly itemTable: Tensor2D;
  readonly itemBias?: Tensor1D;
  readonly targetIds: Int32Array;
}) => Scalar;

/** Loss of a generator and of a discriminator in one: what logits [T, 1] say of items that are not the true ones [T]. */
export type ReplacedTokenPair = (inputs: {
  readonly generatorLoss: Scalar;
  readonly logits: Tensor2D;
  readonly isReplaced: Uint8Array;
  readonly weight: number;
}) => Scalar;

/** A model with weights, trained by gradient descent. */
export interface NeuralModel extends NextItemModel {
  readonly kind: 'neural';
  /** What `encode` lets a position see of its session; it decides which objectives fit. Default `causal`. */
  readonly attention?: AttentionDirection;
  /** Whether a session may be encoded event by event, its state carried from one to the next (`EncodeMode.carried`). */
  readonly carriesState?: boolean;
  /** Whether a session may be asked about again and again as it grows, without being computed again (`SessionMemory`). */
  readonly remembersSessions?: boolean;
  readonly parameters: ParameterStore;
  /** Hidden state at every position [T, D]; with causal attention position t has seen positions ≤ t of its session only. */
  encode(batch: SessionBatch, mode: EncodeMode): Tensor2D;
  /** The rows of `encode` at the batch's target positions alone [N, D], where that costs less than all of them. */
  encodeTargets?(batch: SessionBatch, mode: EncodeMode): Tensor2D;
  /**
   * What training minimises, for a model that learns more than to predict the targets; the loss of the targets alone when
   * absent.
   */
  trainingLoss?(
    batch: SessionBatch,
    seed: number,
    targetLoss: TargetLoss,
    replacedTokenLoss: ReplacedTokenPair,
  ): Scalar;
  /** Makes room for the categories that the columns have now; of a model that reads features. */
  resizeFeatures?(columns: readonly InputColumn[]): void;
  /**
   * Features of every item, row = item id [V], for a model that describes its candidates by them: to be given before it is
   * trained or asked, and again when the catalogue has grown.
   */
  setItemFeatures?(features: NonNullable<SessionBatch['features']>): void;
  /** Adds the features of items that come after those of `setItemFeatures`, when the table has grown by them. */
  addItemFeatures?(features: NonNullable<SessionBatch['features']>): void;
  /**
   * The output layer: row = item id [V, D]. Made anew where items' features are part of it, or numbers of it are dropped in
   * training: call it within a tidy.
   */
  itemTable(mode?: EncodeMode): Tensor2D;
  /** Added to every item's logit [V]. */
  itemBias(): Tensor1D | undefined;
}

/** Sessions to count in: item ids and offsets as in a batch, oldest session first. */
export interface SessionsToCount {
  readonly itemIds: Int32Array;
  readonly offsets: Int32Array;
  /** Milliseconds since 1970-01-01 UTC of every click; models that weigh by age need them. */
  readonly timestampsMs?: Float64Array;
  /** How much each click counts [T], finite and ≥ 0; 1 when absent. */
  readonly eventWeights?: Float32Array;
}

/** A model that counts. */
export interface StatisticalModel extends NextItemModel {
  readonly kind: 'statistical';
  /** Whether the sessions of a window may be taken in by several calls of `fitWindow`, part by part. */
  readonly countsInParts?: boolean;
  /** Takes in the sessions of one more window, after all earlier ones. */
  fitWindow(sessions: SessionsToCount): void;
}

export type AnyModel = NeuralModel | StatisticalModel;
