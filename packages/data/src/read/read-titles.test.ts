import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readTitles } from './read-titles.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nimue-titles-'));
});
afterAll(() => rm(folder, { recursive: true }));

test('CSV with quotes: the first row of an item that has a title counts, an item without one has none', async () => {
  const file = join(folder, 'movies.csv');
  await writeFile(file, 'movieId,title\n1,"Toy Story, The (1995)"\n2,\n1,Another\n3,\n3,Late\n');
  const titles = await readTitles({ file, item: 'movieId', title: ['title'] });
  expect([...titles].sort()).toEqual([
    ['1', 'Toy Story, The (1995)'],
    ['3', 'Late'],
  ]);
});

test('no header, another separator, two columns as one title', async () => {
  const file = join(folder, 'tracks.dat');
  await writeFile(file, 'a1::Air::Sexy Boy\na2::::Untitled\n');
  const header = ['id', 'artist', 'track'];
  const titles = await readTitles({ file, item: 'id', title: ['artist', 'track'], separator: '::', header });
  expect([...titles].sort()).toEqual([
    ['a1', 'Air – Sexy Boy'],
    ['a2', 'Untitled'],
  ]);
});

test('a missing file and a missing column are named', async () => {
  const file = join(folder, 'movies.csv');
  await expect(readTitles({ file: join(folder, 'nothing.csv'), item: 'a', title: ['b'] })).rejects.toThrow(
    'nothing.csv: cannot be read',
  );
  await expect(readTitles({ file, item: 'movieId', title: ['name'] })).rejects.toThrow(
    "movies.csv: expected a column 'name', got 'movieId', 'title'",
  );
});
