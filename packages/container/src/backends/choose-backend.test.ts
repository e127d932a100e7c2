import { describe, expect, jest, test } from '@jest/globals';
import * as tf from '@tensorflow/tfjs';
import type { BackendName, BackendProbe, ProbeResult } from './backend.ts';
import { chooseBackend, defaultProbes, probeBackends } from './choose-backend.ts';
import { createTensorflowGpuProbe, createTensorflowProbe } from './tensorflow.ts';

/** Every fake computes on TensorFlow.js's own cpu backend. */
function fake(name: BackendName, result: ProbeResult): BackendProbe {
  return { name, tensorflowName: 'cpu', load: async () => result };
}

const there = (name: BackendName) =>
  fake(name, { available: true, description: `the ${name} one`, version: '1.0.0', device: 'CPU' });
const absent = (name: BackendName) =>
  fake(name, { available: false, reason: `no ${name} here`, advice: `get ${name}` });

describe('chooseBackend', () => {
  test('auto takes the first that loads and says why not the ones before', async () => {
    const probes = [absent('native'), absent('tensorflow'), there('wasm'), there('cpu')];
    expect(await chooseBackend('auto', probes)).toEqual({
      name: 'wasm',
      description: 'the wasm one',
      line: 'backend: wasm (the wasm one); not native: no native here; get native; not tensorflow: no tensorflow here; get tensorflow',
    });
  });

  test('the fastest needs no excuse', async () => {
    const { line } = await chooseBackend('auto', [there('native'), there('cpu')]);
    expect(line).toBe('backend: native (the native one)');
  });

  test('a choice is respected, even a slow one', async () => {
    const { name } = await chooseBackend('cpu', [there('native'), there('cpu')]);
    expect(name).toBe('cpu');
  });

  test('a choice that does not load is an error that says how to get it', async () => {
    await expect(chooseBackend('native', [absent('native'), there('cpu')])).rejects.toThrow(
      new Error("backend 'native' is not available: no native here; get native, or set backend to auto"),
    );
  });

  test.each(['wasm', 'cpu'] as const)('%s loads, computes and prints nothing', async (name) => {
    const spies = (['log', 'info', 'warn', 'error'] as const).map((method) =>
      jest.spyOn(console, method).mockImplementation(() => {}),
    );
    const listeners = process.listenerCount('uncaughtException') + process.listenerCount('unhandledRejection');
    try {
      expect((await chooseBackend(name)).name).toBe(name);
      expect(tf.getBackend()).toBe(name);
      const product = tf.tidy(() => tf.matMul(tf.tensor2d([[1, 2]]), tf.tensor2d([[3], [4]])).dataSync());
      expect([...product]).toEqual([11]);
      for (const spy of spies) expect(spy).not.toHaveBeenCalled();
    } finally {
      for (const spy of spies) spy.mockRestore();
    }
    expect(process.listenerCount('uncaughtException') + process.listenerCount('unhandledRejection')).toBe(listeners);
  });

  test('every backend is reported on, cpu is always there', async () => {
    const reports = await probeBackends();
    expect(reports.map(({ name }) => name)).toEqual(['tensorflow-gpu', 'native', 'tensorflow', 'wasm', 'cpu']);
    expect(reports[4].result).toEqual({
      available: true,
      description: 'plain JavaScript, 1 thread',
      version: '4.22.0',
      device: 'CPU, JavaScript, 1 thread',
    });
    expect(reports[3].result).toMatchObject({ version: '4.22.0', device: expect.stringMatching(/^CPU, WebAssembly/) });
    expect(defaultProbes()).toHaveLength(5);
  });
});

describe('the tensorflow backend', () => {
  const missing = (name: string) =>
    Object.assign(new Error(`Cannot find package '${name}' imported from here`), { code: 'ERR_MODULE_NOT_FOUND' });

  test('neither package is installed', async () => {
    const probe = createTensorflowProbe((name) => Promise.reject(missing(name)));
    expect(await probe.load()).toEqual({
      available: false,
      reason: '@tensorflow/tfjs-node is not installed',
      advice: 'run: nimue backend install tensorflow, or npm install @tensorflow/tfjs-node',
    });
  });

  test('installed, but its binary was never downloaded', async () => {
    const text =
      'The Node.js native addon module (tfjs_binding.node) can not be found at path: lib/napi-v8.\nPlease run npm rebuild';
    const probe = createTensorflowProbe((name) =>
      Promise.reject(name.endsWith('gpu') ? missing(name) : new Error(text)),
    );
    expect(await probe.load()).toEqual({
      available: false,
      reason: '@tensorflow/tfjs-node is installed without its binary tfjs_binding.node, whose download failed',
      advice:
        'run: nimue backend install tensorflow, or with access to its servers npm rebuild @tensorflow/tfjs-node --build-addon-from-source',
    });
  });

  test('a library of the GPU package is missing, the CPU package works', async () => {
    const tfjsNode = { version: { 'tfjs-node': '4.22.0' }, backend: () => ({ isUsingGpuDevice: false }) };
    const probe = createTensorflowProbe(async (name) => {
      if (name.endsWith('gpu')) throw new Error('libcudart.so.11.0: cannot open shared object file');
      return tfjsNode;
    });
    expect(await probe.load()).toEqual({
      available: true,
      description: '@tensorflow/tfjs-node 4.22.0, CPU',
      version: '4.22.0',
      device: 'CPU',
    });
  });

  test('a missing library is the reason when nothing works', async () => {
    const probe = createTensorflowProbe(async (name) => {
      if (name.endsWith('gpu')) throw new Error('libcudart.so.11.0: cannot open shared object file');
      throw missing(name);
    });
    expect(await probe.load()).toEqual({
      available: false,
      reason: '@tensorflow/tfjs-node-gpu does not load: libcudart.so.11.0: cannot open shared object file',
      advice: 'run: nimue backend install tensorflow --gpu, or npm rebuild @tensorflow/tfjs-node-gpu',
    });
  });

  test('a GPU counts only when it is used', async () => {
    const on = (isUsingGpuDevice: boolean) => async () => ({
      version: { 'tfjs-node': '4.22.0' },
      backend: () => ({ isUsingGpuDevice, binding: { TF_Version: '2.21.0' } }),
    });
    const works = async () => {};
    expect(await createTensorflowGpuProbe(on(true), works).load()).toEqual({
      available: true,
      description: '@tensorflow/tfjs-node-gpu 4.22.0 on TensorFlow 2.21.0, GPU',
      version: '4.22.0 on TensorFlow 2.21.0',
      device: 'GPU',
    });
    const fails = async () => {
      throw new Error('no kernel image is available for execution on the device\nat …');
    };
    expect(await createTensorflowGpuProbe(on(true), fails).load()).toEqual({
      available: false,
      reason:
        '@tensorflow/tfjs-node-gpu finds a GPU, but a product on it fails: no kernel image is available for execution on the device',
      advice: 'see apps/docs/gpu.md for the driver and CUDA that it needs',
    });
    expect(await createTensorflowGpuProbe(on(false)).load()).toEqual({
      available: false,
      reason: '@tensorflow/tfjs-node-gpu loads, but finds no GPU',
      advice: 'see apps/docs/gpu.md for the driver and CUDA that it needs',
    });
  });

  test('the folder of NIMUE_TENSORFLOW_DIRECTORY comes first, and one that holds nothing is named', async () => {
    const before = process.env.NIMUE_TENSORFLOW_DIRECTORY;
    process.env.NIMUE_TENSORFLOW_DIRECTORY = '/nowhere/tfjs-node';
    try {
      const { reason, advice } = (await createTensorflowProbe().load()) as { reason: string; advice: string };
      expect(reason).toContain('/nowhere/tfjs-node does not load');
      expect(advice).toContain('nimue backend install tensorflow --into /nowhere/tfjs-node');
    } finally {
      if (before === undefined) delete process.env.NIMUE_TENSORFLOW_DIRECTORY;
      else process.env.NIMUE_TENSORFLOW_DIRECTORY = before;
    }
  });
});
