import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { derive } from '../../../src/api/derive.ts';
import type { Keepalive } from '../../../src/api/keepalive.ts';
import { API_VERSION } from '../../../src/api/group.ts';
import { giveUpSeconds, latestSecondProbe } from '../../../src/api/triple.ts';
import { verdictOn } from '../../../src/api/verdict.ts';
import { deriveEffective } from '../../../src/policy/effective.ts';
import { givesUpEarly } from '../../../src/policy/patience.ts';
import { requirements } from '../../support/arbitrary.ts';
import { nat, team, teamSpec } from '../../support/builder.ts';

const metadata = { name: 'a', namespace: 'db' };
const told = (seconds: number, keepalive: Keepalive) => {
  const effective = deriveEffective(nat(seconds), keepalive);
  return effective && givesUpEarly(effective);
};

describe('a policy whose own values give up before the timeout', () => {
  test('says after how many lost probes', () => {
    const finding = givesUpEarly(team(90, { keepalive: { intervalSeconds: 2, probes: 3 } }).effective);
    expect(finding?.reason).toBe('GivesUpEarly');
    expect(finding?.message).toContain(
      'given up after 3 lost probes, 36 s after the last packet, while nat remembers it for 90 s',
    );
  });

  const noRoom = 'lower timeSeconds, which leaves no room for a longer intervalSeconds, unless';
  test.each<[number, Keepalive, string | undefined]>([
    [3600, { timeSeconds: 60, intervalSeconds: 1, probes: 2 }, ': raise probes or intervalSeconds, unless'],
    [1200, { timeSeconds: 300, intervalSeconds: 30, probes: 9 }, ': raise intervalSeconds, unless'],
    [3600, { probes: 5 }, ': raise probes, unless'],
    [900, { timeSeconds: 790 }, `: ${noRoom}`],
    [900, { timeSeconds: 790, probes: 4 }, `: raise probes, or ${noRoom}`],
    // As patient as the kernel can be: nobody could raise anything.
    [3600, { timeSeconds: 1200 }, undefined],
    [3600, { timeSeconds: 2000 }, undefined],
    [900, { timeSeconds: 120 }, undefined],
    [432_000, { timeSeconds: 300 }, undefined],
  ])('behind %d s, what declares %o is told what it can change: %s', (seconds, keepalive, advice) => {
    const message = told(seconds, keepalive)?.message;
    expect(message).toEqual(advice === undefined ? undefined : expect.stringContaining(advice));
  });

  /** One second more of an interval, one probe more, one second less of a time. */
  const steps = (seconds: number, declared: Keepalive): [isTold: RegExp, then: Keepalive][] => {
    const { timeSeconds, intervalSeconds, probes } = derive(seconds, declared);
    const interval = { intervalSeconds: intervalSeconds + 1 };
    return [
      [/raise (probes or )?intervalSeconds/, { ...declared, ...interval }],
      [/raise probes/, { ...declared, probes: probes + 1 }],
      [/lower timeSeconds/, { ...declared, ...interval, timeSeconds: timeSeconds - 1 }],
    ];
  };

  test('is told nothing that would be refused', () => {
    fc.assert(
      fc.property(requirements, ({ idleTimeoutSeconds, declared }) => {
        const message = told(idleTimeoutSeconds, declared)?.message ?? '';
        for (const [isTold, keepalive] of steps(idleTimeoutSeconds, declared)) {
          if (!isTold.test(message)) continue;
          const spec = { ...teamSpec(idleTimeoutSeconds), keepalive };
          const object = { apiVersion: API_VERSION, kind: 'KeepalivePolicy', metadata, spec };
          expect(verdictOn('KeepalivePolicy', object)).toEqual([]);
        }
      }),
      { numRuns: 2000 },
    );
  });

  /** Times that leave hardly any room. */
  const longTimes = fc.record({
    seconds: fc.integer({ min: 100, max: 1000 }),
    room: fc.integer({ min: 1, max: 20 }),
    probes: fc.integer({ min: 2, max: 9 }),
  });

  test('and where a lower time is told, it gives up later with that', () => {
    fc.assert(
      fc.property(longTimes, ({ seconds, room, probes }) => {
        const declared = { timeSeconds: latestSecondProbe(seconds) - room, probes };
        const message = told(seconds, declared)?.message ?? '';
        if (!message.includes('lower timeSeconds')) return;
        const { timeSeconds, intervalSeconds } = derive(seconds, declared);
        const then = { timeSeconds: timeSeconds - 1, intervalSeconds: intervalSeconds + 1, probes };
        expect(giveUpSeconds(then)).toBeGreaterThan(giveUpSeconds(derive(seconds, declared)));
        expect(derive(seconds, then)).toEqual(then);
      }),
    );
  });
});
