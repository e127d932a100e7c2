import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { writeModel } from './write-model.ts';

const BIN = fileURLToPath(new URL('../bin/nimue-serve.mjs', import.meta.url));
const root = mkdtempSync(join(tmpdir(), 'nimue-serve-'));
const current = join(root, 'current');

beforeAll(async () => {
  await writeModel(join(root, 'one'), 'vsknn');
  await writeModel(join(root, 'two'), 'popularity');
  symlinkSync(join(root, 'one'), current);
});
afterAll(() => rmSync(root, { recursive: true }));

/** Starts the real command and waits until it listens. */
function start(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(process.execPath, [BIN, ...args, '--port', '0', '--backend', 'cpu'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...env },
  });
  return new Promise((resolve, reject) => {
    let said = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      said += chunk.toString('utf8');
      const url = /answers on (http\S+?),/.exec(said)?.[1];
      if (url) resolve({ child, url });
    });
    child.once('exit', (code) => reject(new Error(`ended with ${code}: ${said}`)));
  });
}

async function labelOf(url: string, headers: Record<string, string> = {}): Promise<string> {
  const { label } = (await (await fetch(`${url}/v1/model`, { headers })).json()) as { label: string };
  return label;
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('it did not come about');
}

test('serves, takes a model that a link is moved to, and ends with 0 after what was asked', async () => {
  const { child, url } = await start([current, '--watch', '0.1'], { NIMUE_TOKEN: 'secret' });
  const headers = { authorization: 'Bearer secret', 'content-type': 'application/json' };
  const exited = new Promise((resolve) => child.once('exit', resolve));
  expect((await fetch(`${url}/v1/model`)).status).toBe(401);
  expect(await labelOf(url, headers)).toBe('vsknn');
  symlinkSync(join(root, 'two'), `${current}.new`);
  renameSync(`${current}.new`, current);
  await until(async () => (await labelOf(url, headers)) === 'popularity');
  // What cannot be used changes nothing.
  writeFileSync(join(root, 'manifest.json'), '{}');
  symlinkSync(root, `${current}.new`);
  renameSync(`${current}.new`, current);
  await until(async () =>
    (await (await fetch(`${url}/metrics`)).text()).includes('nimue_model_loads_total{result="failed"} 1'),
  );
  const body = JSON.stringify({ sessions: [{ items: ['i1'] }] });
  const asked = Array.from({ length: 20 }, () => fetch(`${url}/v1/recommend`, { method: 'POST', headers, body }));
  const answers = await Promise.all(asked);
  child.kill('SIGTERM');
  for (const answer of answers) {
    expect(answer.status).toBe(200);
    expect(((await answer.json()) as { results: unknown[] }).results).toHaveLength(1);
  }
  expect(await exited).toBe(0);
  await expect(fetch(`${url}/health`)).rejects.toThrow();
});

test('SIGHUP loads the folder again', async () => {
  const { child, url } = await start([join(root, 'one'), '--watch', '0']);
  const generation = async () => ((await (await fetch(`${url}/v1/model`)).json()) as { generation: number }).generation;
  expect(await generation()).toBe(1);
  child.kill('SIGHUP');
  await until(async () => (await generation()) === 2);
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGINT');
  expect(await exited).toBe(0);
});

test('what is wrong is named, with exit code 2', () => {
  const refused = (...args: string[]) => {
    const { status, stderr } = spawnSync(process.execPath, [BIN, ...args], { encoding: 'utf8', cwd: root });
    expect(status).toBe(2);
    return stderr;
  };
  expect(refused('nowhere')).toContain('nowhere: neither a model folder (manifest.json) nor a run');
  expect(refused('one', '--port', '99999')).toContain('expected a whole number from 0 to 65535');
  expect(refused('one', '--token-file', 'none', '--backend', 'cpu')).toContain('none');
});
