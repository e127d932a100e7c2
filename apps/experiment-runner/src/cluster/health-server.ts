import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { InputError } from '../input-error.ts';

/** What a worker says of itself. */
export interface Health {
  readonly isConnected: boolean;
  readonly active: readonly string[];
}

/**
 * Answers probes: `/healthz` 200 while the process turns its event loop, `/readyz` 200 while Redis answers and 503 otherwise,
 * both with what the worker does.
 *
 * @throws InputError when the port is taken
 */
export async function startHealthServer(port: number, health: () => Health): Promise<Server> {
  const server = createServer((request, response) => {
    const now = health();
    const path = request.url?.split('?')[0];
    const status = path === '/healthz' ? 200 : path === '/readyz' ? (now.isConnected ? 200 : 503) : 404;
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(`${JSON.stringify(status === 404 ? { error: 'ask /healthz or /readyz' } : now)}\n`);
  });
  server.listen(port);
  await Promise.race([
    once(server, 'listening'),
    once(server, 'error').then(([error]) => {
      throw new InputError(`--health-port ${port}: ${error instanceof Error ? error.message : error}`);
    }),
  ]);
  server.unref();
  return server;
}
