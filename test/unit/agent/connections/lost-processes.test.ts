import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import type { Lost } from '../../../../src/agent/connections/lost-processes.ts';
import { mayLoseMore, sumOf } from '../../../../src/agent/connections/lost-processes.ts';

const mebibyte = 2 ** 20;
const hung = (count: number, mebibytes: number): Lost =>
  sumOf(Array.from({ length: count }, () => ({ grownBytes: mebibytes * mebibyte })));

describe('one more process is risked', () => {
  test.each([
    ['for one of a namespace that lost none', 'ofOwner', hung(0, 0), true],
    ['for one that lost two that had grown little', 'ofOwner', hung(2, 1), true],
    ['for one that lost three', 'ofOwner', hung(3, 1), false],
    ['for one that lost two with many sockets', 'ofOwner', hung(2, 30), false],
    ['on a node that lost five that had grown little', 'ofNode', hung(5, 1), true],
    ['on a node that lost six', 'ofNode', hung(6, 1), false],
    ['on a node that lost two with many sockets', 'ofNode', hung(2, 30), true],
    ['on a node that lost three with many sockets', 'ofNode', hung(3, 30), false],
  ] as const)('%s (%s): %j: %s', (_, of, lost, isRisked) => {
    expect(mayLoseMore(lost, of)).toBe(isRisked);
  });

  // With 100,000 sockets an agent has 57 MiB of its own, and a process that looks at them 11 and up to 31 more.
  test('while what all keep fits into the pod of an agent, and no namespace takes all there is', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(3), fc.nat(31))), (tries) => {
        const lost: { readonly owner: number; readonly grownBytes: number }[] = [];
        for (const [owner, mebibytes] of tries) {
          const ofOwner = sumOf(lost.filter((one) => one.owner === owner));
          if (mayLoseMore(ofOwner, 'ofOwner') && mayLoseMore(sumOf(lost), 'ofNode'))
            lost.push({ owner, grownBytes: mebibytes * mebibyte });
        }
        const { count, grownBytes } = sumOf(lost);
        expect(count * 11 + grownBytes / mebibyte).toBeLessThan(256 - 57 - 11);
        if (new Set(lost.map(({ owner }) => owner)).size === 1)
          expect(mayLoseMore(sumOf(lost), 'ofNode')).toBe(true);
      }),
    );
  });
});
