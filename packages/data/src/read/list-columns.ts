import type { FilesDataset } from './dataset-schema.ts';
import { type Engine, sqlName } from './engine.ts';
import type { Source } from './open-source.ts';

/**
 * A log with one row per session and lists in it (`item_id-list`), as one row per event: where the item column is a list,
 * every list column that is as long in every row is laid out beside it; other columns repeat.
 *
 * @throws when a mapped list has another length than the items of its row
 */
export async function unnestLists(
  engine: Engine,
  source: Source,
  { columns }: Pick<FilesDataset, 'columns'>,
): Promise<Source> {
  const { item } = columns;
  if (!isList(source.types.get(item))) return source;
  const lists = [...source.types].flatMap(([name, type]) => (isList(type) ? [name] : []));
  const lengthOf = (name: string) => `coalesce(len(${sqlName(name)}), 0)`;
  const laidOut = new Set(lists);
  for (const [index, { path }] of source.files.entries()) {
    const differing = lists.map((name, i) => `min(n) FILTER (${lengthOf(name)} <> ${lengthOf(item)}) AS "${i}"`);
    const [row] = await engine.rows(
      `SELECT ${differing.join(', ')} FROM (SELECT *, row_number() OVER () AS n FROM ${source.relation(index)})`,
    );
    for (const [i, name] of lists.entries()) {
      if (row[i] === null) continue;
      laidOut.delete(name);
      const role = Object.entries(columns).find(([, mapped]) => mapped === name)?.[0];
      if (role === undefined) continue;
      throw new Error(
        `${path}, row ${row[i]}: the list '${name}' (${role}) is not as long as '${item}' (item); expected one value per event`,
      );
    }
  }
  const cells = [...source.types].flatMap(([name, type]) => {
    if (!isList(type)) return [sqlName(name)];
    return laidOut.has(name) ? [`unnest(${sqlName(name)}) AS ${sqlName(name)}`] : [];
  });
  const types = new Map(
    [...source.types].flatMap(([name, type]): [string, string][] => {
      if (!isList(type)) return [[name, type]];
      return laidOut.has(name) ? [[name, type.slice(0, -2)]] : [];
    }),
  );
  const relation = (fileIndex?: number) => `(SELECT ${cells.join(', ')} FROM ${source.relation(fileIndex)})`;
  return { ...source, types, relation, placeSql: undefined, placeOf: (row) => `event ${row}` };
}

function isList(type: string | undefined): boolean {
  return type?.endsWith('[]') ?? false;
}
