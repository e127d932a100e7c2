import { Container } from 'inversify';
import { catalogueModule } from './modules/catalogue-module.ts';
import { platformModule } from './modules/platform-module.ts';
import { trainingModule } from './modules/training-module.ts';
import { type NimueServices, TOKENS } from './tokens.ts';

/**
 * The composition root: the one place where implementations are chosen.
 *
 * @param overrides services to use instead of the usual ones; what depends on them gets them too
 *
 * @example
 * const container = createNimueContainer({ logger: { info() {}, warn() {} } });
 * const trainer = container.get(TOKENS.trainer);
 */
export function createNimueContainer(overrides: Partial<NimueServices> = {}): Container {
  const container = new Container();
  container.load(platformModule, catalogueModule, trainingModule);
  for (const name of Object.keys(overrides) as (keyof NimueServices)[]) {
    if (!(name in TOKENS)) {
      throw new Error(
        `createNimueContainer: there is no service '${name}'; services are ${Object.keys(TOKENS).join(', ')}`,
      );
    }
    override(container, name, overrides);
  }
  return container;
}

function override<Name extends keyof NimueServices>(
  container: Container,
  name: Name,
  overrides: Partial<NimueServices>,
): void {
  const service: NimueServices[Name] | undefined = overrides[name];
  if (service !== undefined) container.rebind(TOKENS[name]).toConstantValue(service);
}

/** All services of a container as one object, for functions that should not know the container. */
export function servicesOf(container: Container): NimueServices {
  const names = Object.keys(TOKENS) as (keyof NimueServices)[];
  return Object.fromEntries(
    names.map((name) => [name, container.get<unknown>(TOKENS[name])]),
  ) as unknown as NimueServices;
}
