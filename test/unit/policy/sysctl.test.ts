import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import type { Triple } from '../../../src/policy/derive.ts';
import { isTightenedBy, strictest } from '../../../src/policy/strictest.ts';
import type { Sysctl } from '../../../src/policy/sysctl.ts';
import { declaredTriple, mergeSysctls, sysctlNames } from '../../../src/policy/sysctl.ts';

const [time, interval, probes] = Object.values(sysctlNames) as [string, string, string];
const wanted: Triple = { timeSeconds: 30, intervalSeconds: 10, probes: 6 };
const range: Sysctl = { name: 'net.ipv4.ip_local_port_range', value: '1024 65535' };

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
      'a looser value is tightened in its place, others stay',
      [{ name: time, value: '600' }, range, { name: interval, value: '5' }],
      [{ name: time, value: '30' }, range, { name: interval, value: '5' }, { name: probes, value: '6' }],
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
    expect(mergeSysctls(have, wanted)).toEqual(expected);
  });

  const triples: fc.Arbitrary<Triple> = fc.record({
    timeSeconds: fc.integer({ min: 1, max: 7200 }),
    intervalSeconds: fc.integer({ min: 1, max: 75 }),
    probes: fc.integer({ min: 1, max: 9 }),
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
  const podSysctls = fc.uniqueArray(fc.record({ name: names, value: values }), {
    selector: ({ name }) => name.replaceAll('/', '.'),
  });

  test('is idempotent', () => {
    fc.assert(
      fc.property(podSysctls, triples, (have, triple) => {
        const once = mergeSysctls(have, triple);
        expect(mergeSysctls(once, triple)).toEqual(once);
      }),
    );
  });

  test('gives the same whatever the order of the policies, and the same as their strictest at once', () => {
    fc.assert(
      fc.property(podSysctls, triples, triples, (have, a, b) => {
        const asText = (sysctls: Sysctl[]) => sysctls.map(({ name, value }) => `${name}=${value}`).sort();
        const together = asText(mergeSysctls(have, strictest(a, b)));
        expect(asText(mergeSysctls(mergeSysctls(have, a), b))).toEqual(together);
        expect(asText(mergeSysctls(mergeSysctls(have, b), a))).toEqual(together);
      }),
    );
  });

  test('never loosens a value and never touches another sysctl', () => {
    fc.assert(
      fc.property(podSysctls, triples, (have, triple) => {
        const merged = mergeSysctls(have, triple);
        have.forEach((before, index) => {
          const after = merged[index];
          expect(after?.name).toBe(before.name);
          if (after?.value === before.value) return;
          expect(Object.values<string>(sysctlNames)).toContain(before.name.replaceAll('/', '.'));
          expect(Number(after?.value)).toBeLessThan(Number(before.value));
        });
      }),
    );
  });

  test('leaves a pod that no policy could tighten further', () => {
    fc.assert(
      fc.property(triples, triples, (declared, triple) => {
        const merged = declaredTriple(mergeSysctls(mergeSysctls([], declared), triple));
        expect(merged).toBeDefined();
        if (merged) expect(isTightenedBy(merged, triple)).toBe(false);
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
    ['zero is no keepalive', [{ name: probes, value: '0' }], undefined],
  ])('%s', (_sentence, have, expected) => {
    expect(declaredTriple(have)).toEqual(expected);
  });
});
