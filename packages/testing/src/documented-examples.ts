import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A piece of documentation that claims to run. */
export interface DocumentedExample {
  /** File and number within it. */
  readonly name: string;
  readonly code: string;
}

/**
 * Every `@example` in the sources of a folder and every ```js block of the README beside it.
 *
 * @param sourceFolder URL of a package's `src/`
 */
export function documentedExamples(sourceFolder: URL): DocumentedExample[] {
  const folder = fileURLToPath(sourceFolder);
  const sources = (readdirSync(folder, { recursive: true }) as string[])
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .sort()
    .flatMap((file) => fromDocstrings(file, readFileSync(join(folder, file), 'utf8')));
  const readme = readFileSync(join(folder, '..', 'README.md'), 'utf8');
  return [...sources, ...fromMarkdown('README.md', readme)];
}

function fromDocstrings(file: string, text: string): DocumentedExample[] {
  const blocks = text.matchAll(/@example\n((?:\s*\*(?! ?@|\/).*\n)*)/g);
  return [...blocks].map(([, code], i) => ({
    name: `${basename(file)} example ${i + 1}`,
    code: code.replace(/^\s*\* ?/gm, ''),
  }));
}

function fromMarkdown(file: string, text: string): DocumentedExample[] {
  return [...text.matchAll(/```js\n([\s\S]*?)```/g)].map(([, code], i) => ({ name: `${file} example ${i + 1}`, code }));
}

/**
 * Runs an example and checks every line of the form `expression; // → value`. Imports are dropped: names come from
 * `scope`. In a value, `0.577…` stands for any number that begins so.
 *
 * @returns how many values were checked
 * @throws with the line whose value differs
 */
export async function runExample(code: string, scope: Record<string, unknown>): Promise<number> {
  let numChecks = 0;
  const check = (line: string, actual: unknown, expected: string) => {
    numChecks++;
    const wanted = Function(`return (${expected.replace(/\b\w+Array (?=\[)/g, '').replaceAll('…', '')})`)();
    if (!matches(actual, wanted, expected.includes('…') ? 1e-2 : 1e-9)) {
      throw new Error(`example line \`${line.trim()}\`: got ${show(actual)}`);
    }
  };
  const body = code
    .replace(/^import [\s\S]*?;\n/gm, '')
    .split('\n')
    .map((line) => {
      const match = /^(?:const (\w+) = )?(.*?);?\s*\/\/ → (.+)$/.exec(line);
      if (!match) return line;
      const [, name, expression, expected] = match;
      const value = name ?? `(${expression})`;
      const head = name ? `const ${name} = ${expression};` : '';
      return `${head} __check(${JSON.stringify(line)}, ${value}, ${JSON.stringify(expected)});`;
    })
    .join('\n');
  const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor;
  await new AsyncFunction('__check', ...Object.keys(scope), body)(check, ...Object.values(scope));
  return numChecks;
}

function matches(actual: unknown, wanted: unknown, tolerance: number): boolean {
  if (typeof wanted === 'number' && typeof actual === 'number') return Math.abs(actual - wanted) <= tolerance;
  if (ArrayBuffer.isView(actual) || Array.isArray(actual)) {
    const list = Array.from(actual as unknown as ArrayLike<unknown>);
    return (
      Array.isArray(wanted) && list.length === wanted.length && list.every((x, i) => matches(x, wanted[i], tolerance))
    );
  }
  if (typeof wanted === 'object' && wanted !== null && typeof actual === 'object' && actual !== null) {
    return Object.entries(wanted).every(([key, value]) =>
      matches((actual as Record<string, unknown>)[key], value, tolerance),
    );
  }
  return actual === wanted;
}

function show(value: unknown): string {
  return JSON.stringify(ArrayBuffer.isView(value) ? Array.from(value as unknown as ArrayLike<unknown>) : value);
}
