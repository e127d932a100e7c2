import bearerAuth from '@fastify/bearer-auth';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import { type FastifyInstance, fastify, LogController } from 'fastify';
import { answerErrors, bodyOf } from './error-answers.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { addRoutes } from './routes.ts';
import { ANSWERS, ERROR_ANSWERS } from './schemas.ts';
import type { ServedModel } from './served-model.ts';
import { DEFAULT_LIMITS, type ServerLimits, type ServerOptions } from './server-options.ts';

export interface NimueServer {
  readonly http: FastifyInstance;
  readonly metrics: Metrics;
  /** Loads the newest model. @throws when it cannot be opened; the one before goes on answering, as it does meanwhile */
  reload(): Promise<void>;
  /** Takes no new connection, answers what has been asked, and gives the model's memory back. */
  close(): Promise<void>;
}

/**
 * A server that answers with a model; nothing listens and no model is loaded yet.
 *
 * @example
 * const server = await createServer(new ServedModel(() => Recommender.loadAside('models/sasrec'), DEFAULT_LIMITS));
 * await server.reload();
 * await server.http.listen({ port: 3000 });
 */
export async function createServer(model: ServedModel, options: ServerOptions = {}): Promise<NimueServer> {
  const limits: ServerLimits = { ...DEFAULT_LIMITS, ...options.limits };
  const { token, logLevel = 'warn' } = options;
  const http = fastify({
    logger: { level: logLevel },
    logController: new LogController({ disableRequestLogging: logLevel !== 'info' }),
    bodyLimit: limits.maxBodyBytes,
    requestTimeout: 30_000,
    keepAliveTimeout: 70_000,
    // An idle connection must not hold a server up that is to stop.
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    routerOptions: { maxParamLength: 2048 },
    // What is asked is taken as it is: no 'true' for true, and no key passed over.
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, allowUnionTypes: true, useDefaults: true } },
  });
  const metrics = createMetrics();
  let isClosing = false;
  answerErrors(http);
  http.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'unknown';
    metrics.requests.inc({ method: request.method, route, status: String(reply.statusCode) });
    metrics.seconds.observe({ route }, reply.elapsedTime / 1000);
  });
  await http.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Nimue', description: 'Recommendations for sessions.', version: '1' },
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
    },
  });
  await http.register(swaggerUi, { routePrefix: '/docs' });
  await http.register(async (scope) => {
    if (token !== undefined) {
      await scope.register(bearerAuth, {
        keys: new Set([token]),
        // Its type is narrower than what it sends.
        errorResponse: (error) => bodyOf('unauthorized', error.message) as unknown as { error: string },
      });
    }
    addRoutes(scope, model, limits, metrics);
  });
  const status = (description: string) => ({ response: { 200: { description, ...ANSWERS.status }, ...ERROR_ANSWERS } });
  http.get('/health', { schema: { summary: 'Whether the process is alive', ...status('It is') } }, async () => ({
    status: 'ok',
  }));
  http.get(
    '/ready',
    { schema: { summary: 'Whether requests should be sent here', ...status('They should') } },
    async (_request, reply) => {
      if (model.isLoaded && !isClosing) return { status: 'ready' };
      const why = isClosing ? 'the server is about to stop' : 'the model is not loaded yet';
      return reply.code(503).send(bodyOf('unavailable', why));
    },
  );
  http.get('/openapi.json', { schema: { hide: true } }, async () => http.swagger());
  http.get('/metrics', { schema: { summary: 'For Prometheus' } }, async (_request, reply) =>
    reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
  );

  return {
    http,
    metrics,
    async reload() {
      try {
        const lost = await model.load();
        if (lost.length > 0) http.log.warn({ lost }, 'added items that the new model cannot take in');
        metrics.loads.inc({ result: 'loaded' });
      } catch (error) {
        metrics.loads.inc({ result: 'failed' });
        throw error;
      }
      const { label, trainedUntil = '', numItems } = model.recommender;
      metrics.model.reset();
      metrics.model.set({ label, trained_until: trainedUntil }, 1);
      metrics.items.set(numItems);
    },
    async close() {
      isClosing = true;
      await http.close();
      model.dispose();
    },
  };
}
