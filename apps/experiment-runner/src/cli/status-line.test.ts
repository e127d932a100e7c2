import { expect, test } from '@jest/globals';
import { createStatusLine, describeProgress } from './status-line.ts';

const PROGRESS = { numDone: 12, numFailed: 1, numRunning: 3, numWaiting: 184, perMinute: 41 };

test('how far a sweep is, with the rate and what is left', () => {
  expect(describeProgress(PROGRESS)).toMatch(/^12 done, 1 failed, 3 running, 184 waiting; 41 a minute, about .* left$/);
  expect(describeProgress({ ...PROGRESS, perMinute: 0 })).toBe('12 done, 1 failed, 3 running, 184 waiting');
});

test('a terminal gets one line that is redrawn, with what a cell says; a file a line in half a minute', () => {
  for (const isTTY of [true, false]) {
    const written: string[] = [];
    let nowMs = 0;
    const status = createStatusLine({ isTTY, columns: 200, write: (text) => written.push(text) }, () => nowMs);
    status.say('window 2: hr@5 0.1\nmore');
    status.show(PROGRESS);
    nowMs = 31_000;
    status.show(PROGRESS);
    if (isTTY) {
      expect(written).toHaveLength(2);
      expect(written[0]).toBe(`\r\u001b[2K${describeProgress(PROGRESS)}  window 2: hr@5 0.1`);
    } else expect(written).toEqual([`${describeProgress(PROGRESS)}\n`]);
  }
});
