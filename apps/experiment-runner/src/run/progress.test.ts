import { describe, expect, test } from '@jest/globals';
import { type StepDone, trainingSchema, type WindowDone, type WindowStarted } from '@nimue/trainer';
import { createProgressTracker } from './progress.ts';
import type { RunPlan } from './run-plan.ts';
import { barLine, createBarView, createLineView } from './show-progress.ts';

const position = {
  model: 'gru4rec',
  seed: 1,
  windowIndex: 0,
  numWindows: 2,
  trainWindows: ['2024-01-01'],
  evaluateWindow: '2024-01-02',
};
const started: WindowStarted = {
  type: 'windowStarted',
  ...position,
  numSessions: 30,
  numEvents: 300,
  numReplayed: 0,
  numItems: 10,
  numNewItems: 10,
  numSteps: 4,
};
const step = (number: number, loss: number): StepDone => ({
  type: 'stepDone',
  ...position,
  epoch: 1,
  numEpochs: 2,
  step: number,
  numSteps: 4,
  loss,
  learningRate: 0.1,
  numSessions: 15,
  numEvents: 150,
  elapsedMs: number * 100,
});
const done: WindowDone = {
  type: 'windowDone',
  result: {
    ...position,
    metrics: { 'ndcg@20': 0.43124, 'hr@20': 1 },
    numTargets: 10,
    numUnknownTargets: 0,
    numExcludedTargets: 0,
    loss: 3.214,
    numItems: 10,
    numTrainEvents: 300,
    trainSeconds: 0.05,
    evaluateSeconds: 0.01,
  },
};

/** One neural model over two windows of 300 events: each counts 2 · 300 + 300 / 3. */
const plan: RunPlan = {
  dataset: {
    windows: ['2024-01-01', '2024-01-02', '2024-01-03'].map((id) => ({
      id,
      startMs: 0,
      endMs: 1,
      numSessions: 30,
      numEvents: 300,
    })),
    numRawItems: 10,
    hasTimes: true,
    texts: {},
    rawItemId: String,
    itemCode: Number,
    read: () => Promise.reject(new Error('not needed')),
  },
  evaluation: {
    steps: [
      { trainWindows: [0], evaluateWindow: 1, carryWeights: false },
      { trainWindows: [1], evaluateWindow: 2, carryWeights: true },
    ],
    skipped: [],
  },
  parts: [
    {
      kind: 'contender',
      isNeural: true,
      model: { name: 'gru4rec', config: {} },
      seed: 1,
      contender: {
        label: 'gru4rec',
        create: () => {
          throw new Error('not needed');
        },
        loss: () => {
          throw new Error('not needed');
        },
        training: trainingSchema.parse({ epochs: 2 }),
      },
    },
  ],
};

function expectNever(): never {
  throw new Error('not needed');
}

function tracker() {
  let elapsedMs = 0;
  const clock = { now: () => new Date(0), elapsedMs: () => elapsedMs };
  const tracker = createProgressTracker(plan, clock);
  return {
    update: tracker.update,
    wait: (ms: number) => {
      elapsedMs += ms;
    },
  };
}

describe('the progress of a run', () => {
  test('share, speed and remaining time come from the events read', () => {
    const { update, wait } = tracker();
    update(started);
    update(step(1, 4));
    wait(7000);
    const state = update(step(2, 3));
    expect(state.where).toBe('window 1/2 2024-01-02 gru4rec');
    expect(state.share).toBeCloseTo(0.25, 12);
    expect(state.remainingSeconds).toBeCloseTo(21, 9);
    expect(state.loss).toBeCloseTo(3.9, 12);
    expect(state.eventsPerSecond).toBeCloseTo(1500, 9);
    expect(update(done).share).toBe(0.5);
  });

  test('the bar says it in one line', () => {
    const { update, wait } = tracker();
    update(step(1, 4));
    wait(7000);
    expect(barLine(update(step(2, 3)))).toBe(
      '━━━━━━──────────────────  25 % 0:21 left window 1/2 2024-01-02 gru4rec epoch 1/2 step 2/4 loss 3.90 rate 0.1 150 sessions/s 1,500 events/s',
    );
  });

  test('without a terminal there is one line per window', () => {
    const lines: string[] = [];
    const view = createLineView(tracker(), { info: (line) => lines.push(line), warn() {} });
    const memory = { weights: 9e6, optimizer: 18e6, average: 0, copies: 0, step: 120e6, process: 170e6, peak: 308e6 };
    view.onEvent({ ...started, memory });
    expect(lines.splice(0)).toEqual([
      'gru4rec: about 308 MB of memory at most (weights 9, optimizer 18, a step 120, the rest of the process 161)',
    ]);
    for (const event of [started, step(1, 4), step(2, 3), done]) view.onEvent(event);
    view.close();
    expect(lines).toEqual([
      'window 1/2 2024-01-02 gru4rec ndcg@20 .4312 hr@20 1.0000 loss 3.21 600 sessions/s 6,000 events/s',
    ]);
  });

  test('a finished window stands beside the popularity row of the same window', () => {
    const { create, ...contender } = plan.parts[0].kind === 'contender' ? plan.parts[0].contender : expectNever();
    const popularity = {
      kind: 'contender',
      isNeural: false,
      isPopularity: true,
      model: { name: 'popularity', config: {} },
      seed: 1,
    } as const;
    const both: RunPlan = {
      ...plan,
      parts: [{ ...popularity, contender: { ...contender, create, label: 'popularity' } }, ...plan.parts],
    };
    const tracked = createProgressTracker(both, { now: () => new Date(0), elapsedMs: () => 0 });
    const lines: string[] = [];
    const view = createLineView(tracked, { info: (line) => lines.push(line), warn() {} });
    const { loss, ...counted } = done.result;
    view.onEvent({
      type: 'windowDone',
      result: { ...counted, model: 'popularity', metrics: { 'ndcg@20': 0.13124, 'hr@20': 1 } },
    });
    view.onEvent(done);
    expect(lines[0]).not.toContain('to popularity');
    expect(lines[1]).toContain('ndcg@20 .4312 hr@20 1.0000 (to popularity +.3000 +.0000) loss 3.21');
  });

  test('the bar is redrawn at most ten times a second, fits the terminal and is taken away', () => {
    const written: string[] = [];
    let nowMs = 0;
    const terminal = { columns: 40, write: (text: string) => written.push(text) };
    const logger = { info: (line: string) => written.push(`${line}\n`), warn() {} };
    const view = createBarView(tracker(), logger, terminal, () => nowMs);
    view.onEvent(step(1, 4));
    view.onEvent(step(2, 4));
    nowMs = 100;
    view.onEvent(step(3, 4));
    expect(written).toHaveLength(2);
    expect(written[1].split('\n')).toEqual([
      '\r\u001b[J━━━━━━━━━───────────────  37 %',
      '0:00 left window 1/2 2024-01-02 gru4rec',
      'epoch 1/2 step 3/4 loss 4.00 rate 0.1',
      '150 sessions/s 1,500 events/s\u001b[3A',
    ]);
    view.onEvent(done);
    expect(written[2]).toBe('\r\u001b[J');
    expect(written[3]).toMatch(/^window 1\/2 2024-01-02 gru4rec ndcg@20 \.4312 .*\n$/);
    view.close();
    expect(written.at(-1)).toBe('\r\u001b[J');
  });
});
