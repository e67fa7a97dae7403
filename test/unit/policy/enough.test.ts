import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { giveUpSeconds, kernelDefaults } from '../../../src/api/triple.ts';
import type { Triple } from '../../../src/api/triple.ts';
import { amend, isEnough, meets } from '../../../src/policy/enough.ts';
import type { Requirement } from '../../../src/policy/requirement.ts';
import { deriveEffective } from '../../../src/policy/effective.ts';
import { together, valuesFor } from '../../../src/policy/requirement.ts';
import { settle } from '../../../src/policy/tighten.ts';
import { heldValues, requirements } from '../../support/arbitrary.ts';
import { behind } from '../../support/builder.ts';

type Three = [time: number, interval: number, probes: number];
const triple = ([timeSeconds, intervalSeconds, probes]: Three): Triple => ({
  timeSeconds,
  intervalSeconds,
  probes,
});

describe('what is enough', () => {
  test.each<[string, Three, number, boolean]>([
    ['what Go sets by itself, behind 90 s', [15, 15, 9], 90, true],
    ['a pool’s 60/1/10 behind 240 s', [60, 1, 10], 240, true],
    ['what AKS advises behind 240 s', [45, 45, 5], 240, true],
    ['an operator’s 120/60/30 behind 350 s', [120, 60, 30], 350, true],
    ['two probes in the last second that an eighth late still counts', [40, 39, 2], 90, true],
    ['one second later', [40, 40, 2], 90, false],
    ['one probe, however soon', [1, 1, 1], 90, false],
    ['the defaults of the kernel behind a day', [7200, 75, 9], 86_400, true],
    ['behind two hours', [7200, 75, 9], 7200, false],
    ['a probe each second behind two seconds', [1, 1, 2], 2, true],
    ['one that is slower', [1, 2, 9], 2, false],
    ['a time of 0, with which no keepalive works', [0, 10, 6], 90, false],
    ['an interval of 0', [30, 0, 6], 90, false],
    ['probes of 0, which end a connection at its first silence', [30, 10, 0], 90, false],
    ['probes of 0 behind two seconds', [1, 1, 0], 2, false],
  ])('%s', (_sentence, values, timeout, expected) => {
    expect(isEnough(triple(values), timeout)).toBe(expected);
  });
});

describe('what becomes of a place', () => {
  test.each<[string, Three, Requirement, Three | undefined]>([
    ['the kernel’s own values become the derived ones', [7200, 75, 9], behind(90), [30, 10, 6]],
    ['what is enough is not touched', [45, 45, 5], behind(240), undefined],
    ['what is not becomes the smaller of its own and ours', [45, 45, 5], behind(90), [30, 10, 6]],
    [
      'a shorter interval of its own stays, with probes that give up no sooner',
      [300, 1, 9],
      behind(90),
      [30, 1, 9],
    ],
    [
      'more probes than the kernel’s that somebody chose are never made fewer',
      [300, 1, 10],
      behind(90),
      [30, 1, 10],
    ],
    ['too few that somebody chose are raised', [600, 75, 3], behind(90), [30, 10, 6]],
    ['so is one', [10, 5, 1], behind(90), [10, 5, 9]],
    ['probes that somebody chose and that are patient stay', [600, 75, 8], behind(90), [30, 10, 8]],
    ['a value of 0 becomes ours', [0, 0, 0], behind(90), [30, 10, 6]],
    ['a declared time is an order', [45, 45, 5], behind(240, { timeSeconds: 40 }), [40, 34, 6]],
    ['a declared number of probes too', [45, 45, 5], behind(240, { probes: 3 }), [45, 45, 3]],
    [
      'a declared value that nothing is above changes nothing',
      [45, 45, 5],
      behind(240, { timeSeconds: 60 }),
      undefined,
    ],
  ])('%s', (_sentence, own, requirement, expected) => {
    expect(amend(triple(own), requirement)).toEqual(expected && triple(expected));
  });

  test('of which one value is not known: it is taken to be as asked', () => {
    expect(amend({ intervalSeconds: 5, probes: 9 }, behind(90))).toBeUndefined();
    expect(amend({ timeSeconds: 600, probes: 9 }, behind(90))).toMatchObject({ timeSeconds: 30 });
  });

  test('is enough afterwards, needs nothing more, and is no more fragile than the path or it was before', () => {
    fc.assert(
      fc.property(heldValues, requirements, (own, requirement) => {
        const amended = amend(own, requirement);
        if (amended === undefined) return expect(meets(own, requirement)).toBe(true);
        expect(meets(amended, requirement)).toBe(true);
        expect(amend(amended, requirement)).toBeUndefined();
        for (const key of ['timeSeconds', 'intervalSeconds'] as const)
          if (own[key] > 0) expect(amended[key]).toBeLessThanOrEqual(own[key]);
        const { idleTimeoutSeconds, declared } = requirement;
        if (declared.probes !== undefined) return;
        const chosen = own.probes === kernelDefaults.probes ? 0 : own.probes;
        expect(amended.probes).toBeGreaterThanOrEqual(chosen);
        const isPatient =
          giveUpSeconds(amended) >= idleTimeoutSeconds || amended.probes >= kernelDefaults.probes;
        expect(isPatient).toBe(true);
      }),
      { numRuns: 5000 },
    );
  });
});

describe('several policies', () => {
  test('ask for the smallest timeout, and the smallest of what each gives and declares', () => {
    const asked = together([
      behind(350, { timeSeconds: 20 }),
      behind(90),
      behind(900, { intervalSeconds: 4, probes: 5 }),
    ]);
    expect(asked).toEqual({
      ...{ idleTimeoutSeconds: 90, timeSeconds: 20, intervalSeconds: 4 },
      declared: { timeSeconds: 20, intervalSeconds: 4, probes: 5 },
    });
    expect(together([])).toBeUndefined();
  });

  test.each<[string, Requirement[], Three]>([
    ['a longer timeout with a declared time', [behind(900, { timeSeconds: 75 }), behind(90)], [30, 10, 6]],
    ['with a declared interval', [behind(3600, { intervalSeconds: 60 }), behind(90)], [30, 10, 6]],
    ['with a shorter time', [behind(350, { timeSeconds: 20 }), behind(90)], [20, 10, 7]],
    [
      'with all three',
      [behind(300, { timeSeconds: 60, intervalSeconds: 75, probes: 4 }), behind(90)],
      [30, 10, 4],
    ],
    ['a longer time of the shorter timeout', [behind(90, { timeSeconds: 60 }), behind(120)], [40, 5, 9]],
  ])('give what none of them would have longer: %s', (_sentence, list, expected) => {
    expect(valuesFor(together(list) as Requirement)).toEqual(triple(expected));
  });

  test('make no time and no interval longer than one of them makes it by itself', () => {
    fc.assert(
      fc.property(heldValues, requirements, requirements, (own, one, other) => {
        const alone = amend(own, one) ?? own;
        const both = amend(own, together([one, other]) as Requirement) ?? own;
        expect(both.timeSeconds).toBeLessThanOrEqual(alone.timeSeconds);
        expect(both.intervalSeconds).toBeLessThanOrEqual(alone.intervalSeconds);
      }),
      { numRuns: 5000 },
    );
  });

  test('make of a running place nothing longer when one more comes', () => {
    fc.assert(
      fc.property(heldValues, requirements, requirements, (own, one, other) => {
        const before = settle(own, { asked: one, hold: false }, {});
        const held = { ...own, ...before.writes };
        const asked = together([one, other]);
        const { writes } = settle(held, { asked, hold: false }, before.after);
        expect(writes.timeSeconds ?? 0).toBeLessThanOrEqual(held.timeSeconds);
        expect(writes.intervalSeconds ?? 0).toBeLessThanOrEqual(held.intervalSeconds);
      }),
      { numRuns: 2000 },
    );
  });

  test('need nothing more after what they made of a place', () => {
    fc.assert(
      fc.property(heldValues, fc.array(requirements, { minLength: 1, maxLength: 4 }), (own, list) => {
        const asked = together(list) as Requirement;
        expect(amend(amend(own, asked) ?? own, asked)).toBeUndefined();
      }),
      { numRuns: 2000 },
    );
  });

  test('ask for the same in whatever order, and twice is as once', () => {
    fc.assert(
      fc.property(fc.array(requirements, { minLength: 1, maxLength: 5 }), (list) => {
        const asked = together(list);
        expect(together([...list].reverse())).toEqual(asked);
        expect(together([...list, ...list])).toEqual(asked);
        expect(together([together(list.slice(0, 2)) as Requirement, ...list.slice(2)])).toEqual(asked);
      }),
    );
  });

  test('make of a place what is enough for each of them', () => {
    fc.assert(
      fc.property(heldValues, fc.array(requirements, { minLength: 1, maxLength: 4 }), (own, list) => {
        const asked = together(list) as Requirement;
        const values = amend(own, asked) ?? own;
        for (const { idleTimeoutSeconds } of list) expect(isEnough(values, idleTimeoutSeconds)).toBe(true);
      }),
      { numRuns: 2000 },
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

  test('what is declared is told beside what is derived from it', () => {
    expect(deriveEffective([{ preset: 'kube-proxy-ipvs' }], { timeSeconds: 120 })).toMatchObject({
      timeSeconds: 120,
      declared: { timeSeconds: 120 },
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
