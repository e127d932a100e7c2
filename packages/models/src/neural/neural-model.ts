import { type AttentionDirection, lastPositions, type SessionBatch } from '@nimue/batch';
import { gatherRows } from '@nimue/ops';
import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs';
import type { ModelInputs } from '../inputs/add-inputs.ts';
import type { EncodeMode, NeuralModel } from '../next-item-model.ts';
import type { ParameterStore } from '../parameter-store.ts';
import { rankAndRecommendByHidden, rankByHidden, recommendByHidden } from '../rank-by-hidden.ts';
import { assertWithin } from './assert-within.ts';
import { endingAt } from './ending-at.ts';
import type { SessionMemory } from './session-memory.ts';

/** What tells one neural model from another. */
export interface NeuralParts {
  readonly name: string;
  readonly parameters: ParameterStore;
  readonly attention?: AttentionDirection;
  readonly maxLength?: number;
  readonly carriesState?: boolean;
  /** `body` (`bodyAt`) then gives the states of the new events alone when it is handed a memory. */
  readonly remembersSessions?: boolean;
  /** What `body` says of an event depends on how many follow it: each question is shown its session up to its position. */
  readonly countsFromNewest?: boolean;
  /** State at every position, before the output layer [T, D]; or `bodyAt`. */
  body?(batch: SessionBatch, mode: EncodeMode): Tensor2D;
  /** State at some positions [N, D], for a body whose work grows with their number. */
  bodyAt?(batch: SessionBatch, positions: Int32Array, mode: EncodeMode): Tensor2D;
  /** From states to what is compared with the item table. */
  head(hidden: Tensor2D): Tensor2D;
  itemTable(mode?: EncodeMode): Tensor2D;
  itemBias(): Tensor1D | undefined;
  readonly trainingLoss?: NeuralModel['trainingLoss'];
  readonly inputs?: ModelInputs;
}

/** A model from its parts: the output layer runs over the targets' rows only, ranks and lists come from one path. */
export function createNeuralModel(parts: NeuralParts): NeuralModel {
  const { name, parameters, attention, maxLength, carriesState, remembersSessions } = parts;
  const { head, itemTable, itemBias, trainingLoss, inputs } = parts;
  const statesAt = (batch: SessionBatch, positions: Int32Array, mode: EncodeMode): Tensor2D => {
    if (mode.carried && !carriesState) throw new Error(`${name}: carries no state from event to event`);
    if (maxLength) assertWithin(batch.offsets, maxLength, name);
    if (mode.memory) return rememberedState(parts, batch, positions, { ...mode, memory: mode.memory });
    const withContext = (hidden: Tensor2D) => inputs?.addContext(hidden, batch, positions) ?? hidden;
    if (parts.bodyAt) return withContext(parts.bodyAt(batch, positions, mode));
    if (!parts.body) throw new Error(`${name}: has neither body nor bodyAt`);
    if (parts.countsFromNewest && !mode.training) {
      const asked = endingAt(batch, positions);
      const ends = lastPositions(asked.offsets);
      const states = gatherRows(parts.body(asked, mode), ends);
      return inputs?.addContext(states, asked, ends) ?? states;
    }
    const hidden = parts.body(batch, mode);
    return withContext(positions.length === hidden.shape[0] ? hidden : gatherRows(hidden, positions));
  };
  const model: NeuralModel = {
    kind: 'neural',
    name,
    ...(attention && { attention }),
    ...(maxLength && { maxLength }),
    ...(carriesState && { carriesState }),
    ...(remembersSessions && { remembersSessions }),
    parameters,
    get numRows() {
      return parameters.shape('items')[0];
    },
    encode: (batch, mode) => head(statesAt(batch, Int32Array.from(batch.itemIds.keys()), mode)),
    encodeTargets: (batch, mode) => head(statesAt(batch, batch.targets.positions, mode)),
    itemTable,
    itemBias,
    ...(trainingLoss && { trainingLoss }),
    rankTargets: (batch, options) => rankByHidden(model, batch, options),
    recommend: (batch, k, options) => recommendByHidden(model, batch, k, options),
    rankAndRecommend: (batch, k, options) => rankAndRecommendByHidden(model, batch, k, options),
    resizeItems(numRows, newItems) {
      if (newItems?.kind === 'features' && !inputs?.describesItems) {
        throw new Error(`${name}: new items cannot start from their features; give an input the role: item`);
      }
      parameters.resizeItems(numRows, newItems);
    },
    ...(inputs && { resizeFeatures: inputs.resize }),
    ...(inputs?.describesItems && {
      setItemFeatures: inputs.setItemFeatures,
      addItemFeatures: inputs.addItemFeatures,
    }),
    dispose: () => parameters.dispose(),
  };
  return model;
}

/** The name of the newest event's state, before what its session's context adds. */
const NEWEST = 'newest';

/**
 * The state at the newest event of one session [1, D], by way of what its memory keeps.
 *
 * @throws when the model keeps none, learns, or is asked about another event
 */
function rememberedState(
  parts: NeuralParts,
  batch: SessionBatch,
  positions: Int32Array,
  mode: EncodeMode & { readonly memory: SessionMemory },
): Tensor2D {
  const { name, inputs } = parts;
  const { memory } = mode;
  if (!parts.remembersSessions || mode.training) {
    throw new Error(`${name}: ${mode.training ? 'a memory is for predicting only' : 'keeps no memory of sessions'}`);
  }
  memory.begin(batch);
  const newest = batch.itemIds.length - 1;
  if (positions.length !== 1 || positions[0] !== newest) {
    throw new Error(`${name}: with a memory only the newest event can be asked about, position ${newest}`);
  }
  if (memory.numSeen <= newest) {
    try {
      const states = parts.bodyAt?.(batch, positions, mode) ?? parts.body?.(batch, mode);
      if (!states) throw new Error(`${name}: has neither body nor bodyAt`);
      memory.keepLast(NEWEST, states);
      memory.end(batch);
    } catch (error) {
      // Some layers have taken the new events in and others have not.
      memory.forget();
      throw error;
    }
  }
  const state = memory.last(NEWEST) as Tensor2D;
  return inputs?.addContext(state, batch, positions) ?? state;
}
