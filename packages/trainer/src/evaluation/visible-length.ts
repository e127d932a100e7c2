import type { NextItemModel } from '@nimue/models';

/** The tighter of the model's limit and the configured one; undefined when there is none. */
export function visibleLength(model: Pick<NextItemModel, 'maxLength'>, maxLength?: number): number | undefined {
  const limit = Math.min(model.maxLength ?? Number.POSITIVE_INFINITY, maxLength ?? Number.POSITIVE_INFINITY);
  return Number.isFinite(limit) ? limit : undefined;
}
