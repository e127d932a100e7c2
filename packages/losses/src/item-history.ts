/** What the train windows so far say of every item, row = item id. */
export interface ItemHistory {
  /** How often it occurs [V], for negatives drawn or corrected by popularity. */
  readonly counts: Int32Array;
  /** How many train windows ago it was last met [V], 0 in the newest, 2³¹ − 1 never; for losses over recent items. */
  readonly ages: Int32Array;
}
