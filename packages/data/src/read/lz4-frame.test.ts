import fc from 'fast-check';
import { unpackLz4Frame } from './lz4-frame.ts';

const HEADER = [0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82];
const END = [0, 0, 0, 0];
const block = (...bytes: number[]) => [bytes.length & 255, bytes.length >> 8, 0, 0, ...bytes];
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();
const letters = (of: string) => [...Buffer.from(of)];

test('literals, copies, a copy that runs into itself, long lengths; by hand', () => {
  // 3 literals, then 4 + 2 bytes from 3 back; 1 literal, then 4 + 15 + 1 bytes from 1 back; 2 literals.
  const sequences = block(0x32, ...letters('abc'), 3, 0, 0x1f, ...letters('x'), 1, 0, 1, 0x20, ...letters('yz'));
  expect(text(unpackLz4Frame(Uint8Array.from([...HEADER, ...sequences, ...END])))).toBe(`abcabcabc${'x'.repeat(21)}yz`);
  // 15 + 255 + 5 literals.
  const long = block(0xf0, 255, 5, ...letters('q'.repeat(275)));
  expect(text(unpackLz4Frame(Uint8Array.from([...HEADER, ...long, ...END])))).toBe('q'.repeat(275));
});

test('blocks that are not packed, several blocks, a stated size, block checksums', () => {
  const plain = [3, 0, 0, 0x80, ...letters('abc')];
  const copy = block(0x00, 2, 0, 0x10, ...letters('!'));
  expect(text(unpackLz4Frame(Uint8Array.from([...HEADER, ...plain, ...copy, ...END])))).toBe('abcbcbc!');
  const withSize = [0x04, 0x22, 0x4d, 0x18, 0x78, 0x40, 3, 0, 0, 0, 0, 0, 0, 0, 0x99, ...plain, 1, 2, 3, 4, ...END];
  expect(text(unpackLz4Frame(Uint8Array.from(withSize)))).toBe('abc');
});

test('a frame that is cut off or damaged anywhere is refused, and never loops', () => {
  const whole = [...HEADER, ...block(0x32, ...letters('abc'), 3, 0, 0x20, ...letters('yz')), ...END];
  for (let length = 0; length < whole.length; length++) {
    expect(() => unpackLz4Frame(Uint8Array.from(whole.slice(0, length)))).toThrow('the LZ4 frame is damaged');
  }
  expect(() => unpackLz4Frame(Uint8Array.from([...HEADER, ...block(0x10, 97, 9, 0), ...END]))).toThrow(
    'a copy of what was never there',
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      const frame = Uint8Array.from([...HEADER, ...block(...bytes), ...END]);
      try {
        expect(unpackLz4Frame(frame).length).toBeGreaterThanOrEqual(0);
      } catch (error) {
        expect(String(error)).toContain('the LZ4 frame is damaged');
      }
    }),
    { numRuns: 300, seed: 2 },
  );
});
