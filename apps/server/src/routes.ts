import type { NewItem, Recommendation, RecommendRequest, RequestSession } from '@nimue/recommender';
import type { FastifyInstance } from 'fastify';
import type { Metrics } from './metrics.ts';
import { MicroBatcher } from './micro-batcher.ts';
import { ANSWERS, ERROR_ANSWERS, requestSchemas } from './schemas.ts';
import type { ServedModel } from './served-model.ts';
import type { ServerLimits } from './server-options.ts';
import { UnavailableError } from './unavailable-error.ts';

/** The routes under /v1. */
export function addRoutes(server: FastifyInstance, model: ServedModel, limits: ServerLimits, metrics: Metrics): void {
  const bodies = requestSchemas(limits);
  const batcher = new MicroBatcher<RecommendRequest, Recommendation[]>({
    maxSize: limits.maxBatch,
    answer: (requests) => model.recommender.recommendAll(requests),
    onBatch: (size) => metrics.batchSizes.observe(size),
  });
  const security = [{ bearer: [] }];
  const answers = (status: number, schema: object, description: string) => ({
    response: { [status]: { description, ...schema }, ...ERROR_ANSWERS },
    security,
  });

  server.post<{ Body: RecommendRequest }>(
    '/v1/recommend',
    {
      schema: {
        summary: 'The best next items of sessions and users',
        body: bodies.recommend,
        ...answers(200, ANSWERS.recommend, 'A list per session, then one per user'),
      },
    },
    async ({ body }) => {
      if (batcher.numWaiting >= limits.maxWaiting) {
        throw new UnavailableError(`${batcher.numWaiting} requests are waiting already; ask again later`);
      }
      if ((body.sessions?.length ?? 0) + (body.users?.length ?? 0) > limits.maxSessions) {
        throw tooMany(`body must not have more than ${limits.maxSessions} sessions and users`);
      }
      const results = await batcher.ask(body);
      metrics.lists.inc(results.length);
      metrics.unsupported.inc(results.filter(({ warning }) => warning !== undefined).length);
      return { results };
    },
  );
  server.post<{ Body: { items: (string | number)[]; k: number } }>(
    '/v1/similar',
    {
      schema: {
        summary: 'The items most like given ones',
        body: bodies.similar,
        ...answers(200, ANSWERS.similar, 'A list per item, by cosine'),
      },
    },
    async ({ body }) => ({ results: model.recommender.similarItems(body) }),
  );
  server.post<{ Body: { session: RequestSession; item: string | number } }>(
    '/v1/explain',
    {
      schema: {
        summary: 'Which events of a session drove the score of an item',
        body: bodies.explain,
        ...answers(200, ANSWERS.explain, 'The score less that without each event'),
      },
    },
    async ({ body }) => ({ effects: model.recommender.explain(body) }),
  );
  server.post<{ Body: { items: NewItem[] } }>(
    '/v1/items',
    {
      schema: {
        summary: 'Take in items that the model was not trained with',
        body: bodies.addItems,
        ...answers(201, ANSWERS.addItems, 'They can be recommended from now on'),
      },
    },
    async ({ body }, reply) => {
      model.addItems(body.items);
      metrics.items.set(model.recommender.numItems);
      return reply.code(201).send({ numItems: model.recommender.numItems });
    },
  );
  server.put<{ Params: { user: string }; Body: RequestSession }>(
    '/v1/users/:user',
    {
      schema: {
        summary: 'Keep what a user has done',
        params: { type: 'object', properties: { user: { type: 'string', minLength: 1, maxLength: 512 } } },
        body: bodies.history,
        response: { 204: { description: 'Kept', type: 'null' }, ...ERROR_ANSWERS },
        security,
      },
    },
    async ({ params, body }, reply) => {
      model.setHistory(params.user, body);
      return reply.code(204).send();
    },
  );
  server.get(
    '/v1/model',
    { schema: { summary: 'The model that answers', ...answers(200, ANSWERS.model, 'What it is') } },
    async () => {
      const { label, trainedUntil, numItems, numUsers, columns } = model.recommender;
      return { label, trainedUntil, numItems, numUsers, generation: model.generation, columns };
    },
  );
}

function tooMany(message: string): Error {
  return Object.assign(new Error(message), { statusCode: 400 });
}
