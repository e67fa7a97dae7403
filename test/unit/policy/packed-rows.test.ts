import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { PackedRows } from '../../../src/policy/packed-rows.ts';

const width = 32;
const edges = fc.constantFrom(0, 0, 0, 1, -1, 63, 64, -64, -65, 2 ** 31 - 1, -(2 ** 31));
const row = fc.array(fc.oneof(edges, fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), fc.constant(0)), {
  minLength: width,
  maxLength: width,
});

describe('packed rows', () => {
  test('say what was put into them, whatever was read before', () => {
    fc.assert(
      fc.property(fc.array(row, { maxLength: 5 }), (rows) => {
        const packed = new PackedRows(rows);
        const into = new Int32Array(width).fill(7);
        const read = rows.map((_, index) => {
          packed.read(index, into);
          return [...into];
        });
        expect(read).toEqual(rows);
      }),
    );
  });

  test('are the same where all their numbers are', () => {
    fc.assert(
      fc.property(row, row, fc.nat(width - 1), (before, one, at) => {
        const other = one.with(at, (one[at] ?? 0) ^ 1);
        const [ones, others] = [new PackedRows([before, one]), new PackedRows([one, other])];
        expect(PackedRows.isSame(ones, 1, others, 0)).toBe(true);
        expect(PackedRows.isSame(ones, 1, others, 1)).toBe(false);
      }),
    );
  });

  test('take few bytes where most numbers are 0 and the others small', () => {
    const { bytes } = new PackedRows([[1, 30, 0, 0, 30, ...Array.from({ length: 18 }, () => 0)]]);
    expect(bytes.length).toBe(4 + 3);
  });
});
