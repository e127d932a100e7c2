/** The rank of a target that cannot be recommended at all: an item outside the vocabulary. No metric@k counts it. */
export const UNRANKED = 0x7fffffff;
