import { EventEmitter } from 'node:events';
import { expect, test } from '@jest/globals';
import { endWithReader } from './closed-pipe.ts';

test('a reader that has gone ends the command, as shells expect it; other errors are thrown', () => {
  const codes: number[] = [];
  const [out, err] = [new EventEmitter(), new EventEmitter()];
  endWithReader([out, err], (code) => codes.push(code));
  out.emit('error', Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
  err.emit('error', Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
  expect(codes).toEqual([141, 141]);
  expect(() => out.emit('error', Object.assign(new Error('disk full'), { code: 'ENOSPC' }))).toThrow('disk full');
  expect(codes).toHaveLength(2);
});
