import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { duckdbStore } from '@nimue/data';
import type { WindowResult } from '@nimue/trainer';
import { metricRows, metricsCsv } from './metric-rows.ts';
import { crc32c, tensorboardRecord, tensorboardVersion } from './tensorboard-events.ts';
import { writeMetricsParquet } from './write-parquet.ts';
import { tensorboardFiles } from './write-tensorboard.ts';

const RESULT: WindowResult = {
  model: 'sasrec, "small"',
  seed: 2,
  windowIndex: 0,
  numWindows: 1,
  trainWindows: ['2024-01-01'],
  evaluateWindow: '2024-01-02',
  metrics: { 'ndcg@5': 0.25 },
  numTargets: 8,
  numUnknownTargets: 1,
  numExcludedTargets: 0,
  numItems: 5,
  numTrainEvents: 40,
  trainSeconds: 0.5,
  evaluateSeconds: 0.125,
};

test('CSV has a row per figure, with quotes where they are needed', () => {
  const lines = metricsCsv(metricRows([RESULT])).split('\n');
  expect(lines.slice(0, 3)).toEqual([
    'model,seed,window_index,window,metric,value',
    '"sasrec, ""small""",2,0,2024-01-02,ndcg@5,0.25',
    '"sasrec, ""small""",2,0,2024-01-02,numTargets,8',
  ]);
  expect(lines).toHaveLength(10);
});

test('Parquet holds the same rows, read by another engine', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'nimue-export-'));
  try {
    const rows = metricRows([RESULT]);
    await writeMetricsParquet(join(folder, 'metrics.parquet'), rows);
    const { value, metric, seed } = await duckdbStore.read(join(folder, 'metrics.parquet'));
    expect([...value]).toEqual(rows.map((row) => row.value));
    expect(metric).toEqual(rows.map((row) => row.metric));
    expect([...seed]).toEqual(rows.map(() => 2));
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('CRC-32C of the check text', () => {
  expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
});

// Written by tensorboard 2.21.0 (tensorboard.summary.writer.record_writer.RecordWriter over event_pb2.Event).
test('an event file is byte for byte what TensorBoard writes', () => {
  const scalar = { tag: 'train/loss', step: 300, value: 0.5, wallTime: 1700000001 };
  const file = Buffer.concat([tensorboardVersion(1700000000), tensorboardRecord(scalar)]);
  expect(file.toString('hex')).toBe(GOLDEN_EVENTS);
});

test('events are in the file as soon as they happen, and steps and epochs are counted on over windows and resumed runs', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'nimue-tensorboard-'));
  try {
    const position = { model: 'sasrec', seed: 1, numWindows: 2, trainWindows: ['a'], evaluateWindow: 'b' };
    const epochs = [1, 2].map((epoch) => ({
      epoch,
      step: 3 * epoch,
      loss: 0.5,
      learningRate: 0.1,
      numEvents: 9,
      validation: {},
    }));
    const restored = { ...RESULT, ...position, windowIndex: 0, epochs };
    const { onEvent: listen } = tensorboardFiles(folder, new Date(1700000000_000), () => 1700000001);
    listen({ type: 'windowDone', isRestored: true, result: restored });
    const file = join(folder, 'tensorboard/sasrec-seed1/events.out.tfevents.1700000000.nimue');
    const expected: Buffer[] = [tensorboardVersion(1700000000)];
    const expectScalar = (tag: string, step: number, value: number) => {
      expected.push(tensorboardRecord({ tag, step, value, wallTime: 1700000001 }));
    };
    const expectFile = async () => expect(await readFile(file)).toEqual(Buffer.concat(expected));
    expect(existsSync(file)).toBe(false);
    const window = { ...position, windowIndex: 1, numEpochs: 2, numSteps: 6 };
    const step = { type: 'stepDone', ...window, epoch: 1, step: 1, loss: 0.25, learningRate: 0.1 } as const;
    listen({ ...step, numSessions: 1, numEvents: 3, elapsedMs: 5 });
    // Within the same second.
    listen({ ...step, step: 2, numSessions: 1, numEvents: 3, elapsedMs: 6 });
    expectScalar('step/loss', 7, 0.25);
    expectScalar('step/learningRate', 7, 0.1);
    await expectFile();
    const epoch = { ...epochs[0], validation: { 'ndcg@5': 0.5 } };
    listen({ type: 'epochDone', ...window, ...epoch, improved: [], stopsEarly: false });
    expectScalar('train/loss', 3, 0.5);
    expectScalar('train/learningRate', 3, 0.1);
    expectScalar('valid/ndcg@5', 3, 0.5);
    await expectFile();
    listen({ type: 'windowDone', result: { ...restored, windowIndex: 1 } });
    expectScalar('evaluate/ndcg@5', 2, 0.25);
    await expectFile();
  } finally {
    await rm(folder, { recursive: true });
  }
});

const GOLDEN_EVENTS =
  '1800000000000000a37f4b220900000040fc54d9411a0d627261696e2e4576656e743a32eced8f9d2100000000000000017becf60900004040fc54d94110ac022a130a110a0a747261696e2f6c6f7373150000003ff70fba81';
