import { createNimueContainer, servicesOf } from '@nimue/container';
import { createJsonSchema } from '../experiment/json-schema.ts';
import { referencePage } from '../reference/reference-page.ts';

/** `nimue schema` */
export async function schemaCommand({ reference }: { readonly reference?: boolean }): Promise<void> {
  const { models, losses, objectives } = servicesOf(createNimueContainer());
  const catalogue = { models, losses, objectives };
  process.stdout.write(
    reference ? referencePage(catalogue) : `${JSON.stringify(createJsonSchema(catalogue), null, 2)}\n`,
  );
}
