import { createNimueContainer, servicesOf } from '@nimue/container';
import { createJsonSchema } from '../experiment/json-schema.ts';

/** `nimue schema` */
export async function schemaCommand(): Promise<void> {
  const { models, losses, objectives } = servicesOf(createNimueContainer());
  process.stdout.write(`${JSON.stringify(createJsonSchema({ models, losses, objectives }), null, 2)}\n`);
}
