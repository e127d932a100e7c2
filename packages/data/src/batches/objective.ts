import type { AttentionDirection, SessionBatch } from '@nimue/batch';
import type { z } from 'zod';
import { createRandom, hashNumbers, type Random } from '../random/random.ts';

/** Which random draws a training batch makes: the same for the same (seed, epoch, session), in whatever batch it lies. */
export interface ObjectiveDraw {
  readonly seed: number;
  readonly epoch: number;
}

/**
 * What a model is taught: how whole sessions become inputs and targets in training, and what the model is shown when the
 * next item of a session is asked for. Evaluation and recommendation both show it `createInferenceBatch`, nothing else.
 */
export interface Objective {
  /** The name in an experiment file. */
  readonly name: string;
  /** The options that it was made with, where `defineObjective` made it. */
  readonly config?: unknown;
  /** What a model may let a position see without seeing its target. */
  readonly permits: readonly AttentionDirection[];
  /** Items of a training session beyond those that the model sees: 1 where the newest is only a target. */
  readonly numTargetOnly: 0 | 1;
  /** Positions that inference adds to what is visible; they count towards the model's `maxLength`. */
  readonly numAppended: 0 | 1;
  /**
   * Inputs and targets of whole sessions. A session too short to have both is left out.
   *
   * @param whole sessions, newest item included, cut to `maxLength + numTargetOnly` events
   */
  createTrainingBatch(whole: SessionBatch, draw: ObjectiveDraw): SessionBatch;
  /**
   * The visible items of every session with one position to predict at, session by session.
   *
   * @param visible sessions of at least one event, cut to `maxLength − numAppended`
   * @param targetIds the next item of every session [B], where it is known; the inputs do not depend on it
   * @throws when a session is empty
   */
  createInferenceBatch(visible: SessionBatch, targetIds?: Int32Array): SessionBatch;
}

/** What an objective's file exports: how it is configured and made. */
export interface ObjectiveSpec<Schema extends z.ZodType = z.ZodType> {
  /** Strict: unknown keys are refused. */
  readonly configSchema: Schema;
  create(config: z.infer<Schema>): Objective;
}

/** Keeps the schema's type with the factory, and the options with what it makes. */
export function defineObjective<Schema extends z.ZodType>(spec: ObjectiveSpec<Schema>): ObjectiveSpec<Schema> {
  return { ...spec, create: (config) => ({ ...spec.create(config), config }) };
}

/** Why a model with that attention cannot be taught by the objective; undefined when it can. */
export function explainMisfit(
  { permits }: Pick<Objective, 'permits'>,
  attention: AttentionDirection,
): string | undefined {
  if (permits.includes(attention)) return undefined;
  return {
    causal: 'it would see the items that are to be predicted, because they are among its inputs',
    bidirectional: 'a position would see the items after it, and so its own target',
    twoStream: 'it needs the factorisation order that only the permutation objective draws',
  }[attention];
}

/**
 * Refuses a model that would see what it is to predict, such as two-way attention with causal targets.
 *
 * @param attention what the model lets a position see
 * @throws naming what would leak and what fits instead
 */
export function assertObjectiveFits(
  objective: Pick<Objective, 'name' | 'permits'>,
  attention: AttentionDirection,
  modelName: string,
): void {
  const why = explainMisfit(objective, attention);
  if (!why) return;
  throw new Error(
    `${modelName}: ${attention} attention does not go with the objective '${objective.name}': ${why}. ` +
      `'${objective.name}' needs ${objective.permits.join(' or ')} attention`,
  );
}

/** The random numbers of one session in one epoch. */
export function randomOfSession({ seed, epoch }: ObjectiveDraw, sessionKey: number): Random {
  return createRandom(hashNumbers(seed, epoch, 0x0b7ec71e, sessionKey));
}

/** The key of a session of a batch. @throws when the batch has none and draws would depend on its make-up */
export function sessionKeyOf(batch: SessionBatch, session: number, objective: string): number {
  if (batch.sessionKeys) return batch.sessionKeys[session];
  throw new Error(
    `${objective}: the batch has no sessionKeys, and what is drawn must not depend on the batch; add them`,
  );
}
