import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { derive } from '../../../src/api/derive.ts';
import { idleTimeoutBounds } from '../../../src/api/idle-timeout.ts';
import type { Keepalive } from '../../../src/api/keepalive.ts';
import { giveUpSeconds, kernelDefaults, latestSecondProbe } from '../../../src/api/triple.ts';
import { isEnough } from '../../../src/policy/enough.ts';
import { declaredValues, timeouts } from '../../support/arbitrary.ts';

describe('what follows from an idle timeout', () => {
  test.each([
    ['the shortest allowed has two, of which one comes in time', 2, [1, 1, 2]],
    ['three seconds leave two', 3, [1, 1, 2]],
    ['four seconds, as in the demo', 4, [1, 1, 3]],
    ['six seconds are the last with fewer than six probes', 6, [2, 1, 4]],
    ['seven the first with six', 7, [2, 1, 6]],
    ['90 s give the recommendation that started the project', 90, [30, 10, 6]],
    ['Azure: 240 s', 240, [80, 27, 6]],
    ['AWS: 350 s', 350, [116, 39, 6]],
    ['IPVS: 900 s, where the interval has met the kernel and more probes make up for it', 900, [300, 75, 8]],
    ['an hour has the most patience there is', 3600, [1200, 75, 9]],
    ['21600 s is where the time meets the kernel', 21_600, [7200, 75, 9]],
    ['five days stay at the kernel defaults', 432_000, [7200, 75, 9]],
  ])('%s', (_sentence, timeout, [timeSeconds, intervalSeconds, probes]) => {
    expect(derive(timeout)).toEqual({ timeSeconds, intervalSeconds, probes });
  });

  test('for every allowed timeout it is enough, no looser than the kernel, and as patient as the path where the kernel lets it', () => {
    for (let timeout: number = idleTimeoutBounds.min; timeout <= idleTimeoutBounds.max; timeout += 1) {
      const triple = derive(timeout);
      const holds =
        isEnough(triple, timeout) &&
        triple.timeSeconds <= kernelDefaults.timeSeconds &&
        triple.intervalSeconds <= kernelDefaults.intervalSeconds &&
        triple.probes <= kernelDefaults.probes &&
        (giveUpSeconds(triple) >= timeout || triple.probes === kernelDefaults.probes);
      if (!holds) throw new Error(`idle timeout ${timeout} s gives ${JSON.stringify(triple)}`);
    }
  });
});

describe('the latest second probe', () => {
  test('is the last whole second that, an eighth late, still falls before the timeout', () => {
    for (let timeout = 3; timeout <= 10_000; timeout += 1) {
      const latest = latestSecondProbe(timeout);
      if (!(latest * 9 < timeout * 8 && (latest + 1) * 9 >= timeout * 8))
        throw new Error(`${latest} for ${timeout}`);
    }
  });
});

describe('declared values', () => {
  test.each<[string, number, Keepalive, number[]]>([
    ['a shorter time leaves more probes', 90, { timeSeconds: 20 }, [20, 12, 6]],
    ['a longer time leaves a shorter interval', 90, { timeSeconds: 60 }, [60, 5, 6]],
    ['a long interval leaves time for a second probe', 90, { intervalSeconds: 60 }, [19, 60, 6]],
    ['a short interval has more probes', 90, { intervalSeconds: 4 }, [30, 4, 9]],
    ['more probes come faster', 90, { probes: 9 }, [30, 7, 9]],
    ['fewer come slower, so that they do not give up sooner', 90, { probes: 2 }, [30, 30, 2]],
    ['all three are taken as they are', 90, { timeSeconds: 10, intervalSeconds: 5, probes: 2 }, [10, 5, 2]],
    [
      'a time that was declared for a longer timeout gives way to what is derived',
      20,
      { timeSeconds: 120 },
      [6, 3, 6],
    ],
    ['an interval too', 20, { intervalSeconds: 60 }, [6, 3, 6]],
    ['behind two seconds there is no room for anything else', 2, { intervalSeconds: 75 }, [1, 1, 2]],
  ])('%s', (_sentence, timeout, declared, [timeSeconds, intervalSeconds, probes]) => {
    expect(derive(timeout, declared)).toEqual({ timeSeconds, intervalSeconds, probes });
  });

  test('are kept where they leave room for two probes; whatever is declared, what comes of it is enough', () => {
    fc.assert(
      fc.property(timeouts, declaredValues, (timeout, declared) => {
        const { timeSeconds = 1, intervalSeconds = 1, probes = 2 } = declared;
        const triple = derive(timeout, declared);
        if (probes >= 2) expect(isEnough(triple, timeout)).toBe(true);
        if (timeSeconds + intervalSeconds <= latestSecondProbe(timeout))
          expect(triple).toMatchObject(declared);
        expect(triple.timeSeconds).toBeLessThanOrEqual(kernelDefaults.timeSeconds);
        expect(triple.intervalSeconds).toBeLessThanOrEqual(kernelDefaults.intervalSeconds);
        expect(triple.probes).toBeLessThanOrEqual(kernelDefaults.probes);
      }),
      { numRuns: 5000 },
    );
  });
});
