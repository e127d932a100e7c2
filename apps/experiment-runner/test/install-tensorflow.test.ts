import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { downloadWheel } from '../src/tensorflow/get-wheel.ts';
import { installTensorflow, removeTensorflow } from '../src/tensorflow/install-tensorflow.ts';
import { unpackWheel } from '../src/tensorflow/unpack-wheel.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'nimue-tensorflow-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A zip archive of the files given, made by Python. */
function zip(name: string, files: Readonly<Record<string, string>>): string {
  const content = join(folder, `${name}-content`);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(content, path, '..'), { recursive: true });
    writeFileSync(join(content, path), text);
  }
  const archive = join(folder, name);
  execFileSync('python3', ['-m', 'zipfile', '-c', archive, ...readdirSync(content)], { cwd: content });
  return archive;
}

const METADATA = { 'tensorflow_cpu-9.9.9.dist-info/METADATA': 'Version: 9.9.9' };

describe('a wheel is unpacked', () => {
  test('libraries and headers of the C interface, and nothing else', async () => {
    const wheel = zip('small.whl', {
      ...METADATA,
      'tensorflow/libtensorflow_cc.so.2': 'cc',
      'tensorflow/libtensorflow_framework.so.2': 'framework',
      'tensorflow/include/tensorflow/c/c_api.h': '#pragma once',
      'tensorflow/include/Eigen/Core': 'not needed',
      'tensorflow/python/keras.py': 'not needed',
    });
    const into = join(folder, 'small');
    expect(await unpackWheel(wheel, into)).toEqual({
      version: '9.9.9',
      distribution: 'tensorflow_cpu',
      libraries: ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'],
      libraryDirectory: join(into, 'tensorflow'),
      includeDirectory: join(into, 'tensorflow', 'include'),
    });
    expect(readdirSync(into, { recursive: true }).filter((name) => String(name).includes('.'))).toEqual(
      expect.arrayContaining(['tensorflow/libtensorflow_cc.so.2', 'tensorflow/include/tensorflow/c/c_api.h']),
    );
    expect(existsSync(join(into, 'tensorflow', 'python'))).toBe(false);
    expect(readFileSync(join(into, 'tensorflow', 'libtensorflow_framework.so.2'), 'utf8')).toBe('framework');
  });

  test('another wheel, no wheel, half a wheel', async () => {
    const numpy = zip('numpy.whl', { 'numpy-2.0.0.dist-info/METADATA': 'Version: 2.0.0', 'numpy/core.py': '' });
    await expect(unpackWheel(numpy, join(folder, 'a'))).rejects.toThrow(
      /expected a TensorFlow wheel .* got numpy 2.0.0/,
    );
    const text = join(folder, 'text.whl');
    writeFileSync(text, 'not a zip archive at all');
    await expect(unpackWheel(text, join(folder, 'b'))).rejects.toThrow('text.whl: is no wheel');
    const whole = readFileSync(numpy);
    writeFileSync(join(folder, 'half.whl'), whole.subarray(0, whole.length / 2));
    await expect(unpackWheel(join(folder, 'half.whl'), join(folder, 'c'))).rejects.toThrow('half.whl: is no wheel');
    await expect(unpackWheel(join(folder, 'none.whl'), join(folder, 'd'))).rejects.toThrow('none.whl: is no wheel');
  });
});

describe('an install that fails leaves everything as it was', () => {
  const place = join(folder, 'before', 'tfjs-node');
  beforeAll(() => {
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, 'package.json'), '{ "name": "@tensorflow/tfjs-node" }');
  });
  const isAsBefore = () => {
    expect(readdirSync(join(folder, 'before'))).toEqual(['tfjs-node']);
    expect(readdirSync(place)).toEqual(['package.json']);
  };

  test('a wheel whose library is none', async () => {
    const wheel = zip('broken.whl', {
      ...METADATA,
      'tensorflow/libtensorflow_cc.so.2': 'cc',
      'tensorflow/libtensorflow_framework.so.2': 'framework',
      'tensorflow/include/tensorflow/c/c_api.h': '#pragma once',
    });
    await expect(installTensorflow({ wheel, into: place })).rejects.toThrow(/'c\+\+' failed|npm has to reach/);
    isAsBefore();
  });

  test('no compiler', async () => {
    const wheel = join(folder, 'broken.whl');
    const before = process.env.CXX;
    process.env.CXX = 'no-such-compiler';
    try {
      await expect(installTensorflow({ wheel, into: place })).rejects.toThrow(
        /'no-such-compiler' is not on this machine; install a C\+\+17 compiler|npm has to reach/,
      );
    } finally {
      if (before === undefined) delete process.env.CXX;
      else process.env.CXX = before;
    }
    isAsBefore();
  });

  test('a folder with something else in it is not touched', async () => {
    const own = join(folder, 'own');
    mkdirSync(own);
    writeFileSync(join(own, 'thesis.txt'), 'all my work');
    await expect(installTensorflow({ into: own })).rejects.toThrow(
      'got a folder without package.json; choose another one',
    );
    await expect(removeTensorflow({ into: own })).rejects.toThrow('choose another one');
    expect(readFileSync(join(own, 'thesis.txt'), 'utf8')).toBe('all my work');
    expect(await removeTensorflow({ into: place })).toBe(false);
  });

  test('no Python', async () => {
    await expect(downloadWheel('tensorflow-cpu', folder, 'no-such-python')).rejects.toThrow(
      "'no-such-python' is not on this machine; download the wheel on another machine and name it with --wheel",
    );
  });
});

describe('TensorFlow out of a wheel that pip supplies', () => {
  const into = join(folder, 'real', 'tfjs-node');
  const intoGpu = join(folder, 'real', 'tfjs-node-gpu');
  let reason = '';
  let wheel = '';
  beforeAll(async () => {
    const wheels = join(folder, 'wheels');
    mkdirSync(wheels);
    try {
      wheel = process.env.NIMUE_TENSORFLOW_WHEEL || (await downloadWheel('tensorflow-cpu', wheels));
      const { version, isUsingGpu } = await installTensorflow({ wheel, into });
      expect(version).toMatch(/^2\.\d+\.\d+/);
      expect(isUsingGpu).toBe(false);
    } catch (error) {
      reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
      // Only what this machine cannot supply is an excuse.
      if (!/pip|npm has to reach|is not on this machine|'python3' failed/.test(reason)) throw error;
    }
  }, 600_000);

  test('every model computes the same on it, in whole training curves too', () => {
    if (reason) {
      console.warn(`skipped: ${reason}`);
      return;
    }
    const jest = join(root, 'node_modules', 'jest', 'bin', 'jest.js');
    const options = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', jest];
    const suite = ['--config', 'tools/jest/jest.config.mjs', '--rootDir', 'packages/container', 'neural-models'];
    const output = execFileSync(process.execPath, [...options, ...suite, '-t', 'tensorflow', '--json', '--silent'], {
      cwd: root,
      env: { ...process.env, NIMUE_TENSORFLOW_DIRECTORY: into },
      stdio: ['ignore', 'pipe', 'pipe'],
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    });
    const { success, numPassedTests } = JSON.parse(output.slice(output.indexOf('{"'))) as Record<string, unknown>;
    expect(success).toBe(true);
    // 18 models and variants, 3 curves.
    expect(numPassedTests).toBeGreaterThanOrEqual(21);
  }, 600_000);

  /** As `nimue doctor --json` reports it with the folder. */
  function doctorOf(directory: string) {
    const nimue = join(root, 'apps/experiment-runner/bin/nimue.mjs');
    const { auto, backends } = JSON.parse(
      execFileSync(process.execPath, [nimue, 'doctor', '--json'], {
        env: { ...process.env, NIMUE_TENSORFLOW_DIRECTORY: directory },
        stdio: ['ignore', 'pipe', 'ignore'],
        encoding: 'utf8',
      }),
    );
    const found = (backends as { name: string; result: object; speed?: Record<string, number> }[]).find(
      ({ name }) => name === 'tensorflow',
    );
    const gpu = (backends as { name: string; result: { reason?: string } }[]).find(
      ({ name }) => name === 'tensorflow-gpu',
    );
    return { auto, found, gpu };
  }

  test('tfjs-node-gpu is compiled against a wheel without CUDA, loads, and is not taken for a GPU', async () => {
    if (reason) return;
    const { version, isUsingGpu } = await installTensorflow({ gpu: true, wheel, into: intoGpu });
    expect(version).toMatch(/^2\.\d+\.\d+/);
    expect(isUsingGpu).toBe(false);
    const { auto, found, gpu } = doctorOf(intoGpu);
    expect(gpu?.result).toEqual({
      available: false,
      reason: `${intoGpu} loads, but finds no GPU`,
      advice: 'see apps/docs/gpu.md for the driver and CUDA that it needs',
    });
    expect(auto).not.toMatch(/^tensorflow/);
    expect(found?.result).toMatchObject({ available: true, version: expect.stringContaining(version), device: 'CPU' });
    expect(found?.speed?.productGflops).toBeGreaterThan(0.1);
    expect(found?.speed?.headGflops).toBeGreaterThan(0.1);
  }, 600_000);

  test('is taken away again', async () => {
    if (reason) return;
    expect(await removeTensorflow({ into })).toBe(true);
    expect(existsSync(into)).toBe(false);
    // The other package is not mistaken for it.
    await expect(removeTensorflow({ into: intoGpu })).rejects.toThrow('got @tensorflow/tfjs-node-gpu');
    expect(await removeTensorflow({ into: intoGpu, gpu: true })).toBe(true);
    expect(existsSync(intoGpu)).toBe(false);
  });
});
