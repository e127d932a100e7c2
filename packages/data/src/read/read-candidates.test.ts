import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readCandidates } from './read-candidates.ts';

const directory = mkdtempSync(join(tmpdir(), 'candidates-'));
const write = (name: string, text: string) => {
  writeFileSync(join(directory, name), text);
  return join(directory, name);
};
afterAll(() => rmSync(directory, { recursive: true }));

describe('candidates of a file', () => {
  test('once for all windows: every item once, ids as written', async () => {
    const file = write('all.csv', 'sku,price\n0012,1\nb,2\n0012,3\n');
    const candidates = await readCandidates({ file, item: 'sku' });
    expect(candidates.of('2024-01-01')).toEqual(['0012', 'b']);
  });

  test('per window; a window without a row is refused', async () => {
    const file = write('windows.tsv', 'day\titem_id\n2024-01-01\t3\n2024-01-02\t4\n2024-01-02\t1\n');
    const candidates = await readCandidates({ file, item: 'item_id', window: 'day' });
    expect(candidates.of('2024-01-01')).toEqual(['3']);
    expect(candidates.of('2024-01-02')).toEqual(['1', '4']);
    expect(() => candidates.of('2024-01-03')).toThrow("no candidate for window '2024-01-03' in column 'day'");
  });

  test('a missing file, column or cell is named', async () => {
    await expect(readCandidates({ file: join(directory, 'none.csv'), item: 'sku' })).rejects.toThrow(
      'none.csv: cannot be read',
    );
    const file = write('hole.csv', 'sku,price\na,1\n,2\n');
    await expect(readCandidates({ file, item: 'item' })).rejects.toThrow(
      "expected a column 'item', got 'sku', 'price'",
    );
    await expect(readCandidates({ file, item: 'sku' })).rejects.toThrow('a row without an item');
  });
});
