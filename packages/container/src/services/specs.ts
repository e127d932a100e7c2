/** The entries of a plural file by their names in an experiment file. */
export function toSpecs<Spec>(list: Readonly<Record<string, Spec>>): ReadonlyMap<string, Spec> {
  return new Map(Object.entries(list));
}

/** @throws naming what exists, when the name is not in the list */
export function specOf<Spec>(specs: ReadonlyMap<string, Spec>, what: string, name: string): Spec {
  const spec = specs.get(name);
  if (spec) return spec;
  throw new Error(`${what} '${name}' does not exist; expected one of ${[...specs.keys()].join(', ')}`);
}
