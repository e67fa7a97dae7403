import { beforeAll, describe, expect, jest, test } from '@jest/globals';

import { kernelImage } from '../cluster/kernel-image.ts';
import { provide } from '../cluster/prepare.ts';
import { seenInGuest } from '../kernel/kernel-guest.ts';
import type { KernelCase } from '../kernel/kernels.ts';
import { kernelCases } from '../kernel/kernels.ts';
import { wholeExpected } from '../kernel/whole-expected.ts';

/** What docs/kernels.md says of kernels, each booted and tried. */
jest.setTimeout(300_000);

const imageOf = ({ source }: KernelCase) => (source === undefined ? undefined : kernelImage(source));
const calledBy = ({ name, series, lockdown }: KernelCase) =>
  `${series} of ${name}${lockdown === undefined ? '' : `, lockdown=${lockdown}`}`;

beforeAll(async () => {
  await provide({ parts: kernelCases.flatMap((one) => imageOf(one) ?? []) }, undefined);
}, 900_000);

describe.each(kernelCases.map((one) => [calledBy(one), one] as const))('Linux %s', (_name, one) => {
  let saw: ReadonlyMap<string, unknown>;
  beforeAll(async () => {
    const image = imageOf(one);
    saw = await seenInGuest('program', {
      ...(image === undefined ? {} : { kernel: image.file }),
      arm64: one.source?.architecture === 'arm64',
      ...(one.lockdown === undefined ? {} : { parameters: [`lockdown=${one.lockdown}`] }),
    });
  });

  test('is the one that is meant', () => {
    if (one.isNewest !== true) expect(saw.get('kernel')).toMatch(new RegExp(`^${one.series}\\.`));
    expect(saw.get('lockdown') ?? 'none').toBe(one.lockdown ?? 'none');
  });

  test('takes what is said, and says why not the rest', () => {
    expect(saw.get('programs')).toEqual(one.programs);
    const isLookedAt = one.descriptors !== false;
    const by = one.programs.born ? 'BPF' : isLookedAt ? 'Descriptors' : 'ValuesOnly';
    const countedBy = one.programs.known ? 'BPF' : isLookedAt ? 'Descriptors' : 'Nobody';
    const why = one.why === undefined ? {} : { why: one.why };
    expect(saw.get('means')).toEqual({ by, countedBy, ...why });
  });

  if (one.programs.known)
    test.each(wholeExpected)('does all of it: %s', (what, as) => {
      expect(saw.get(what)).toEqual(as);
    });
  else
    test('falls back to descriptors, and keeps nothing', () => {
      expect(saw.get('looked at by descriptors')).toEqual([one.byDescriptors]);
      expect(saw.get('the one that was open')).toMatchObject({
        keepalive: one.byDescriptors?.repaired !== 0,
      });
      expect(saw.get('pinned in the end')).toBe(false);
    });
});
