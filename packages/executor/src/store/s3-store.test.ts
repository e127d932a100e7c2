import { once } from 'node:events';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { type S3Server, startS3Server } from '../../test/s3-server.ts';
import { openStore } from '../index.ts';

const BUCKET = 'strict';
let behind: S3Server;
let strict: Server;
const refused: string[] = [];

/** As OpenStack Swift, and others: no condition on a PUT, no list of what is to be deleted without its MD5. */
beforeAll(async () => {
  behind = await startS3Server(BUCKET);
  Object.assign(process.env, behind.environment);
  strict = createServer((asked, answer) => {
    const { method, url = '/', headers } = asked;
    const refuse = (status: number, code: string) => {
      refused.push(code);
      asked.resume().on('end', () => {
        answer.writeHead(status, { 'content-type': 'application/xml' });
        answer.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`);
      });
    };
    if (headers['if-none-match']) return refuse(501, 'NotImplemented');
    if (method === 'POST' && !headers['content-md5']) return refuse(400, 'InvalidRequest');
    const passed = request(new URL(url, behind.endpoint), { method, headers }, (reply) => {
      answer.writeHead(reply.statusCode ?? 500, reply.headers);
      reply.pipe(answer);
    });
    asked.pipe(passed);
  });
  strict.listen(0, '127.0.0.1');
  await once(strict, 'listening');
});
afterAll(async () => {
  strict.closeAllConnections();
  strict.close();
  await behind.remove();
});

test('a server that knows no conditions is asked for one once; what is deleted goes with its checksum', async () => {
  const { port } = strict.address() as AddressInfo;
  const store = await openStore(`s3://${BUCKET}/a?endpoint=http://127.0.0.1:${port}`);
  expect(await store.upload('x/1', fileURLToPath(import.meta.url))).toBe(true);
  expect(await store.write('x/2', 'two')).toBe(true);
  expect(await store.write('x/2', 'other')).toBe(false);
  expect(String(await store.read('x/2'))).toBe('two');
  expect(refused).toEqual(['NotImplemented']);
  await store.remove('x/');
  expect(await store.list('')).toEqual([]);
  expect(refused).toEqual(['NotImplemented']);
});
