import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { idleTimeoutBounds } from '../../../src/api/hop.ts';
import type { Keepalive } from '../../../src/api/keepalive.ts';
import { kernelDefaults } from '../../../src/api/keepalive.ts';
import { deriveEffective, deriveTriple, lastProbeSeconds } from '../../../src/policy/derive.ts';

describe('what follows from an idle timeout', () => {
  test.each([
    ['the shortest allowed leaves one probe', 2, [1, 1, 1]],
    ['three seconds leave two', 3, [1, 1, 2]],
    ['four seconds, as in the demo', 4, [1, 1, 3]],
    ['nine seconds are the first with six probes at these parts', 9, [3, 1, 6]],
    ['90 s give the recommendation that started the project', 90, [30, 10, 6]],
    ['Azure: 240 s', 240, [80, 26, 6]],
    ['AWS: 350 s', 350, [116, 38, 6]],
    ['675 s is where the interval meets the kernel', 675, [225, 75, 6]],
    ['IPVS: 900 s', 900, [300, 75, 6]],
    ['an hour', 3600, [1200, 75, 6]],
    ['21600 s is where the time meets the kernel', 21_600, [7200, 75, 6]],
    ['five days stay at the kernel defaults, with fewer probes', 432_000, [7200, 75, 6]],
  ])('%s', (_sentence, timeout, [timeSeconds, intervalSeconds, probes]) => {
    expect(deriveTriple(timeout)).toEqual({ timeSeconds, intervalSeconds, probes });
  });

  test('for every allowed timeout the last probe falls before it and nothing is looser than the kernel', () => {
    for (let timeout: number = idleTimeoutBounds.min; timeout <= idleTimeoutBounds.max; timeout += 1) {
      const triple = deriveTriple(timeout);
      const holds =
        triple !== undefined &&
        lastProbeSeconds(triple) < timeout &&
        triple.timeSeconds >= 1 &&
        triple.timeSeconds <= kernelDefaults.timeSeconds &&
        triple.intervalSeconds >= 1 &&
        triple.intervalSeconds <= kernelDefaults.intervalSeconds &&
        triple.probes >= 1 &&
        triple.probes <= kernelDefaults.probes;
      if (!holds) throw new Error(`idle timeout ${timeout} s gives ${JSON.stringify(triple)}`);
    }
  });
});

const declared: fc.Arbitrary<Keepalive> = fc.record(
  {
    timeSeconds: fc.integer({ min: 1, max: kernelDefaults.timeSeconds }),
    intervalSeconds: fc.integer({ min: 1, max: kernelDefaults.intervalSeconds }),
    probes: fc.integer({ min: 1, max: kernelDefaults.probes }),
  },
  { requiredKeys: [] },
);
const timeouts = fc.oneof(
  fc.integer({ min: idleTimeoutBounds.min, max: 100 }),
  fc.integer({ min: idleTimeoutBounds.min, max: idleTimeoutBounds.max }),
);

describe('declared values', () => {
  test.each<[string, number, Keepalive, number[] | undefined]>([
    ['a longer time leaves fewer probes', 90, { timeSeconds: 60 }, [60, 10, 3]],
    ['a longer interval leaves fewer probes', 90, { intervalSeconds: 40 }, [30, 40, 2]],
    ['more probes go out faster', 90, { probes: 9 }, [30, 7, 9]],
    ['many slow probes begin sooner', 90, { intervalSeconds: 20, probes: 5 }, [9, 20, 5]],
    ['all three are taken as they are', 90, { timeSeconds: 10, intervalSeconds: 5, probes: 2 }, [10, 5, 2]],
    ['the last second still counts', 90, { timeSeconds: 89 }, [89, 10, 1]],
    ['a time that is the timeout is too late', 90, { timeSeconds: 90 }, undefined],
    ['probes that cannot fit', 5, { probes: 5 }, undefined],
    ['probes that just fit begin at once', 6, { probes: 5 }, [1, 1, 5]],
  ])('%s', (_sentence, timeout, keepalive, expected) => {
    const triple = deriveTriple(timeout, keepalive);
    expect(triple && [triple.timeSeconds, triple.intervalSeconds, triple.probes]).toEqual(expected);
  });

  test('are kept, and what is left out gives way to them: whatever can stay under the timeout does', () => {
    fc.assert(
      fc.property(timeouts, declared, (timeout, keepalive) => {
        const { timeSeconds = 1, intervalSeconds = 1, probes = 1 } = keepalive;
        const possible = timeSeconds + (probes - 1) * intervalSeconds < timeout;
        const triple = deriveTriple(timeout, keepalive);
        expect(triple !== undefined).toBe(possible);
        if (triple === undefined) return;
        expect(triple).toMatchObject(keepalive);
        expect(lastProbeSeconds(triple)).toBeLessThan(timeout);
        expect(triple.timeSeconds).toBeLessThanOrEqual(kernelDefaults.timeSeconds);
        expect(triple.intervalSeconds).toBeLessThanOrEqual(kernelDefaults.intervalSeconds);
        expect(triple.probes).toBeLessThanOrEqual(kernelDefaults.probes);
      }),
      { numRuns: 5000 },
    );
  });
});

describe('what follows from a path', () => {
  test('the shortest hop that follows packets binds, a proxy with a shorter one does not', () => {
    expect(
      deriveEffective([
        { preset: 'aws-nlb' },
        { name: 'sidecar', type: 'Proxy', idleTimeoutSeconds: 15 },
        { name: 'office-nat', type: 'NAT', idleTimeoutSeconds: 90 },
      ]),
    ).toEqual({
      idleTimeoutSeconds: 90,
      limitedBy: 'office-nat',
      timeSeconds: 30,
      intervalSeconds: 10,
      probes: 6,
    });
  });

  test('a preset without a name is named after itself', () => {
    expect(deriveEffective([{ preset: 'azure-nat-gateway' }])?.limitedBy).toBe('azure-nat-gateway');
  });

  test('of two equal hops the first declared is named', () => {
    expect(deriveEffective([{ preset: 'aws-nlb' }, { preset: 'aws-nat-gateway' }])?.limitedBy).toBe(
      'aws-nlb',
    );
  });

  test('proxies alone give nothing', () => {
    expect(deriveEffective([{ preset: 'envoy-tcp' }])).toBeUndefined();
  });
});
