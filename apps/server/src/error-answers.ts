import { RequestError } from '@nimue/recommender';
import type { FastifyError, FastifyInstance } from 'fastify';
import { UnavailableError } from './unavailable-error.ts';

/** Says what went wrong to the one who can do something about it; of failures of its own, to the log alone. */
export function answerErrors(server: FastifyInstance): void {
  server.setErrorHandler((error: FastifyError, request, reply) => {
    if (error instanceof RequestError) {
      return reply.code(422).send(bodyOf('unprocessable', error.message));
    }
    if (error instanceof UnavailableError) {
      return reply.code(503).header('retry-after', '1').send(bodyOf('unavailable', error.message));
    }
    const status = error.statusCode ?? 500;
    if (error.validation || (status >= 400 && status < 500)) {
      return reply.code(status >= 400 && status < 500 ? status : 400).send(bodyOf(codeOf(status), error.message));
    }
    request.log.error(error);
    return reply.code(500).send(bodyOf('internal', `the server failed; its log says why, under ${request.id}`));
  });
  server.setNotFoundHandler((_request, reply) =>
    reply.code(404).send(bodyOf('not_found', 'there is no such route; see the page docs')),
  );
}

export function bodyOf(code: string, message: string) {
  return { error: { code, message } };
}

function codeOf(status: number): string {
  return (
    { 401: 'unauthorized', 404: 'not_found', 413: 'too_large', 415: 'unsupported_media_type' }[status] ?? 'invalid'
  );
}
