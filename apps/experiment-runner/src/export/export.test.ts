import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { duckdbStore } from '@nimue/data';
import type { WindowResult } from '@nimue/trainer';
import { metricRows, metricsCsv } from './metric-rows.ts';
import { crc32c, tensorboardEvents } from './tensorboard-events.ts';
import { writeMetricsParquet } from './write-parquet.ts';

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
  expect(tensorboardEvents([scalar], 1700000000).toString('hex')).toBe(GOLDEN_EVENTS);
});

const GOLDEN_EVENTS =
  '1800000000000000a37f4b220900000040fc54d9411a0d627261696e2e4576656e743a32eced8f9d2100000000000000017becf60900004040fc54d94110ac022a130a110a0a747261696e2f6c6f7373150000003ff70fba81';
