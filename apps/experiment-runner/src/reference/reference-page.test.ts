import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { toSpecs } from '@nimue/container';
import { type ObjectiveSpec, objectives } from '@nimue/data';
import { losses } from '@nimue/losses';
import { models } from '@nimue/models';
import { z } from 'zod';
import { optionRows } from './option-rows.ts';
import { referencePage } from './reference-page.ts';

const PAGE = fileURLToPath(new URL('../../../docs/experiment-file.md', import.meta.url));
const catalogue = {
  models: toSpecs(models),
  losses: toSpecs(losses),
  objectives: toSpecs<ObjectiveSpec>(objectives),
};
const page = referencePage(catalogue);

test('the page in apps/docs is the one that the schemas give (npm run reference writes it)', () => {
  expect(readFileSync(PAGE, 'utf8') === page).toBe(true);
});

test('every option says what it does', () => {
  const bare = page.split('\n').filter((line) => line.startsWith('| `') && line.endsWith('|  |'));
  expect(bare).toEqual([]);
});

test('values, limits and defaults as a person reads them', () => {
  const schema = z.strictObject({
    name: z.literal('x'),
    share: z.number().min(0).lt(1).default(0.5).describe('a share'),
    kinds: z.array(z.enum(['a', 'b'])).describe('kinds'),
    inner: z
      .strictObject({ deep: z.int().min(1).optional().describe('deep') })
      .optional()
      .describe('inner'),
    either: z.union([z.boolean(), z.string()]).optional().describe('either'),
  });
  expect(optionRows(schema, ['name'])).toEqual([
    { path: 'share', type: 'number ≥ 0, < 1', preset: '`0.5`', description: 'a share' },
    { path: 'kinds', type: 'list of `a`, `b`', preset: 'required', description: 'kinds' },
    { path: 'inner', type: 'mapping', preset: '', description: 'inner' },
    { path: 'inner.deep', type: 'whole number ≥ 1', preset: '', description: 'deep' },
    { path: 'either', type: 'true or false or text', preset: '', description: 'either' },
  ]);
});
