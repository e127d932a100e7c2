const VARIABLE = /\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g;

/**
 * Replaces `${NAME}` and `${NAME:-default}`; nothing else of a shell's language is known.
 *
 * @returns the text, and the names that are neither set nor have a default
 *
 * @example
 * expandEnvironment('${DATA:-data}/clicks.csv', {}) // → { text: 'data/clicks.csv', missing: [] }
 */
export function expandEnvironment(
  text: string,
  environment: Readonly<Record<string, string | undefined>>,
): { readonly text: string; readonly missing: readonly string[] } {
  const missing: string[] = [];
  const expanded = text.replace(VARIABLE, (whole, name: string, fallback: string | undefined) => {
    const value = environment[name] || fallback;
    if (value !== undefined) return value;
    missing.push(name);
    return whole;
  });
  return { text: expanded, missing };
}
