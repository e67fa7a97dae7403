import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import { toldBytes, toldIn } from '../../../src/kernel/connection-layout.ts';

/** So many connections, each of a network of its own, as the kernel tells them. */
function told(count: number): Buffer {
  const bytes = Buffer.alloc(count * toldBytes);
  for (let at = 0; at < count; at += 1) bytes.writeBigUInt64LE(BigInt(at), at * toldBytes);
  return bytes;
}

/** As reads give them: each in the same memory. */
function* chunksOf(bytes: Buffer, size: number): Generator<Buffer> {
  const memory = Buffer.alloc(size);
  for (let at = 0; at < bytes.length; at += size) {
    const length = bytes.copy(memory, 0, at, at + size);
    yield memory.subarray(0, length);
  }
}

const networksIn = (bytes: Buffer, size: number) =>
  [...toldIn(chunksOf(bytes, size), 250)].flat().map(({ network }) => network);

test('connections are told whole, wherever the kernel cuts between two reads', () => {
  fc.assert(
    fc.property(fc.nat(30), fc.integer({ min: 1, max: 5 * toldBytes }), (count, size) => {
      expect(networksIn(told(count), size)).toEqual(Array.from({ length: count }, (_, at) => BigInt(at)));
    }),
  );
});

test('the 64 KiB that a kernel with pages of 16 KiB gives at once are no whole number of them', () => {
  expect((1 << 16) % toldBytes).not.toBe(0);
  expect(networksIn(told(3000), 1 << 16)).toHaveLength(3000);
});

test('what ends amid a connection is no count', () => {
  expect(() => networksIn(told(2).subarray(0, -1), 4096)).toThrow('the kernel told');
});
