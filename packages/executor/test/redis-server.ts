import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Why there is no Redis on this machine, or undefined. */
export const withoutRedis =
  spawnSync('redis-server', ['--version']).status === 0
    ? undefined
    : 'redis-server is not on this machine (Debian: apt-get install redis-server)';

export interface RedisServer {
  readonly url: string;
  /** Ends it and begins it again on the same port and the same files. */
  restart(): Promise<void>;
  /** Ends it; with `loseData` what it held is gone. */
  stop(options?: { loseData?: boolean }): Promise<void>;
  start(): Promise<void>;
  /** Ends it and removes its files. */
  remove(): Promise<void>;
}

/** A Redis of its own on a free port of this machine, which writes every change to its file. */
export async function startRedisServer(): Promise<RedisServer> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'nimue-redis-'));
  let child: ChildProcess | undefined;
  const start = async () => {
    const args = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'yes'];
    child = spawn('redis-server', [...args, '--appendfsync', 'always'], { stdio: 'ignore' });
    for (let attempt = 0; attempt < 200; attempt++) {
      const { stdout } = spawnSync('redis-cli', ['-p', `${port}`, 'ping'], { encoding: 'utf8' });
      if (stdout?.trim() === 'PONG') return;
      await sleep(50);
    }
    throw new Error('redis-server does not answer after 10 s');
  };
  const stop = async ({ loseData = false } = {}) => {
    if (child?.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
    if (loseData) rmSync(join(folder, 'appendonlydir'), { recursive: true, force: true });
  };
  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    start,
    stop,
    async restart() {
      await stop();
      await start();
    },
    async remove() {
      await stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
