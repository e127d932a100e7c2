const NUM_HUES = 12;

/** One of 12 hues, by the last word of a title, which often says what kind of thing it is. */
export function hueOf(title: string): number {
  const word =
    title
      .trim()
      .split(/[\s-]+/)
      .at(-1) ?? '';
  let hash = 7;
  for (const letter of word) hash = (hash * 31 + (letter.codePointAt(0) ?? 0)) % 65_521;
  return hash % NUM_HUES;
}

/** Up to two letters or digits that stand for a title. */
export function initialsOf(title: string): string {
  const words = title.split(/[^\p{L}\p{N}]+/u).filter((word) => word.length > 0);
  if (words.length === 0) return '?';
  const last = words[words.length - 1];
  if (words.length > 1 && /^\d+$/.test(last)) return last.slice(-2);
  return words.length === 1 ? words[0].slice(0, 2) : `${words[0][0]}${words[1][0]}`;
}
