/**
 * What a model lets a position see of its session. `causal`: itself and what came before (recurrent models too).
 * `bidirectional`: everything. `twoStream`: by factorisation order, in a content stream and a query stream (XLNet).
 */
export type AttentionDirection = 'causal' | 'bidirectional' | 'twoStream';
