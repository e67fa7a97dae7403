import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { amend, meets } from '../../../src/policy/enough.ts';
import type { Requirement } from '../../../src/policy/requirement.ts';
import type { Sysctl } from '../../../src/policy/sysctl.ts';
import { requirements } from '../../support/arbitrary.ts';
import { behind } from '../../support/builder.ts';
import { declaredTriple, mergeSysctls, sysctlNames, valuesOf } from '../../../src/policy/sysctl.ts';

const [time, interval, probes] = Object.values(sysctlNames) as [string, string, string];
const wanted = behind(90);
const range: Sysctl = { name: 'net.ipv4.ip_local_port_range', value: '1024 65535' };

/** A pod with these sysctls of its own, after what is asked of it. */
const after = (have: Sysctl[], asked: Requirement): readonly Sysctl[] => {
  const values = amend(valuesOf(have), asked);
  return values === undefined ? have : mergeSysctls(have, values);
};

describe('merging into the sysctls of a pod', () => {
  test.each<[string, Sysctl[], Sysctl[]]>([
    [
      'a pod without any gets all three',
      [],
      [
        { name: time, value: '30' },
        { name: interval, value: '10' },
        { name: probes, value: '6' },
      ],
    ],
    [
      'a looser value is tightened in its place, others stay, and probes make up for a short interval',
      [{ name: time, value: '600' }, range, { name: interval, value: '5' }],
      [{ name: time, value: '30' }, range, { name: interval, value: '5' }, { name: probes, value: '9' }],
    ],
    [
      'what is enough stays as it is, though a policy would say otherwise',
      [
        { name: time, value: '15' },
        { name: interval, value: '15' },
      ],
      [
        { name: time, value: '15' },
        { name: interval, value: '15' },
      ],
    ],
    [
      'of a key that is named twice the last counts, and both are set',
      [
        { name: time, value: '5' },
        { name: 'net/ipv4/tcp_keepalive_time', value: '600' },
      ],
      [
        { name: time, value: '30' },
        { name: 'net/ipv4/tcp_keepalive_time', value: '30' },
        { name: interval, value: '10' },
        { name: probes, value: '6' },
      ],
    ],
    [
      'a value spelled with slashes is the same key',
      [{ name: 'net/ipv4/tcp_keepalive_time', value: '600' }],
      [
        { name: 'net/ipv4/tcp_keepalive_time', value: '30' },
        { name: interval, value: '10' },
        { name: probes, value: '6' },
      ],
    ],
    [
      'a value that only the kernel can read is left to it',
      [
        { name: time, value: '0x10' },
        { name: interval, value: '010' },
        { name: probes, value: 'six' },
      ],
      [
        { name: time, value: '0x10' },
        { name: interval, value: '010' },
        { name: probes, value: 'six' },
      ],
    ],
  ])('%s', (_sentence, have, expected) => {
    expect(after(have, wanted)).toEqual(expected);
  });

  const names = fc.constantFrom(
    time,
    interval,
    probes,
    'net/ipv4/tcp_keepalive_time',
    'net.core.somaxconn',
    range.name,
  );
  const values = fc.oneof(
    fc.nat({ max: 9000 }).map(String),
    fc.constantFrom('', '0x10', '-1', '010', '1024 65535'),
  );
  /** As the API server takes them: each spelling once. */
  const podSysctls = fc.uniqueArray(fc.record({ name: names, value: values }), {
    selector: ({ name }) => name,
  });

  test('is idempotent', () => {
    fc.assert(
      fc.property(podSysctls, requirements, (have, asked) => {
        const once = after(have, asked);
        expect(after([...once], asked)).toEqual(once);
      }),
    );
  });

  test('never loosens a time or an interval, and never touches another sysctl', () => {
    fc.assert(
      fc.property(podSysctls, requirements, (have, asked) => {
        const merged = after(have, asked);
        have.forEach((before, index) => {
          const made = merged[index];
          expect(made?.name).toBe(before.name);
          if (made?.value !== before.value)
            expect(Object.values<string>(sysctlNames)).toContain(before.name.replaceAll('/', '.'));
        });
        const [own, started] = [valuesOf(have), valuesOf(merged)];
        for (const key of ['timeSeconds', 'intervalSeconds'] as const)
          if (own[key] !== undefined && own[key] > 0) expect(started[key]).toBeLessThanOrEqual(own[key]);
      }),
    );
  });

  test('leaves a pod with what was asked, unless only the kernel can read what it declares', () => {
    fc.assert(
      fc.property(podSysctls, requirements, (have, asked) => {
        const starts = declaredTriple(after(have, asked));
        expect(starts === undefined || meets(starts, asked)).toBe(true);
      }),
    );
  });
});

describe('what a pod starts with', () => {
  test.each<[string, Sysctl[], unknown]>([
    ['nothing declared is the kernel default', [], { timeSeconds: 7200, intervalSeconds: 75, probes: 9 }],
    [
      'one declared value leaves the others at the default',
      [{ name: time, value: '40' }],
      { timeSeconds: 40, intervalSeconds: 75, probes: 9 },
    ],
    ['a value that cannot be read tells nothing', [{ name: time, value: '0x10' }], undefined],
    [
      'zero is a value, though none that keepalive works with',
      [{ name: probes, value: '0' }],
      { timeSeconds: 7200, intervalSeconds: 75, probes: 0 },
    ],
    [
      'of a key that is named twice the last counts',
      [
        { name: time, value: '40' },
        { name: 'net/ipv4/tcp_keepalive_time', value: '50' },
      ],
      { timeSeconds: 50, intervalSeconds: 75, probes: 9 },
    ],
  ])('%s', (_sentence, have, expected) => {
    expect(declaredTriple(have)).toEqual(expected);
  });
});
