/**
 * Item ids that stand for no item. They can be read by a model, but they are never a target, never counted in a
 * softmax and never recommended.
 */
export const PAD_ID = 0;
/** An item that the vocabulary does not know. */
export const UNKNOWN_ID = 1;
/** A position whose item is hidden from the model (masked objectives). */
export const MASK_ID = 2;
/** The first id that belongs to an item; ids 0 … `FIRST_ITEM_ID - 1` are reserved. */
export const FIRST_ITEM_ID = 3;
