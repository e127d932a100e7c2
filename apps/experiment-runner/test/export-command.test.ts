import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from '@jest/globals';

const NIMUE = fileURLToPath(new URL('../bin/nimue.mjs', import.meta.url));
/** The trained model that the playground ships with. */
const MODEL = fileURLToPath(new URL('../../playground/public/model', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'nimue-export-'));
afterAll(() => rmSync(folder, { recursive: true }));

function nimue(...args: string[]) {
  return spawnSync(process.execPath, [NIMUE, 'export', ...args, '--backend', 'cpu'], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 120_000,
  });
}

test('a model folder becomes each format, and the files are named', () => {
  for (const [format, file] of [
    ['onnx', 'model.onnx'],
    ['tfjs', 'model.json'],
    ['safetensors', 'model.safetensors'],
    ['triton', 'client.py'],
  ]) {
    const { status, stdout } = nimue(MODEL, '--format', format, '--out', format, '--top-k', '5');
    expect(status).toBe(0);
    expect(stdout.trim().split('\n')).toContain(`${format}/${file}`);
    for (const name of stdout.trim().split('\n')) expect(existsSync(join(folder, name))).toBe(true);
  }
  const { label, maxLength, outputs } = JSON.parse(readFileSync(join(folder, 'onnx/export.json'), 'utf8'));
  expect({ label, maxLength }).toEqual({ label: 'SASRec, trained on a generated shop', maxLength: 20 });
  expect(outputs.top_items.shape).toEqual(['batch', 5]);
}, 240_000);

test('int8 items: what they cost this model is said', () => {
  const { status, stderr } = nimue(MODEL, '--format', 'onnx', '--out', 'int8', '--int8-items');
  expect(status).toBe(0);
  const [, kept] = /int8 items, over 256 random sessions: ([\d.]+) % of the 20 best stay/.exec(stderr) ?? [];
  expect(Number(kept)).toBeGreaterThan(95);
}, 120_000);

test.each([
  [[MODEL, '--format', 'onnx', '--out', 'twice'], 'twice: it exists already'],
  [['nowhere', '--format', 'onnx'], 'nowhere: neither a model folder (manifest.json) nor a run'],
  [[MODEL, '--format', 'onnx', '--out', 'no', '--length', '21'], 'length is 21; expected a whole number, 1 … 20'],
  [[MODEL, '--format', 'onnx', '--out', 'no', '--batch', 'many'], '--batch many: expected a whole number ≥ 1'],
  [[MODEL, '--format', 'pmml'], "argument 'pmml' is invalid. Allowed choices are onnx, safetensors, tfjs, triton"],
])(
  'what is at fault is named, and nothing is written',
  (args, message) => {
    if (args.includes('twice')) nimue(...args);
    const { status, stderr } = nimue(...args);
    expect(stderr).toContain(message);
    expect(status).toBe(2);
    expect(existsSync(join(folder, 'no'))).toBe(false);
  },
  120_000,
);
