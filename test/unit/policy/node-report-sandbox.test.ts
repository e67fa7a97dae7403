import { describe, expect, test } from '@jest/globals';

import type { SandboxRuntime } from '../../../src/policy/runtime.ts';
import { sysctls } from '../../support/builder.ts';
import { container, report } from './node-report-rig.ts';

describe('a pod with a kernel of its own', () => {
  const seen = (sandbox: SandboxRuntime) => ({
    'mongo-0': { state: 'sandboxed', sandbox, now: {} } as const,
  });
  test.each([
    ['gVisor', 'set keepalive in the program, or run it with another runtimeClassName'],
    ['Kata', 'recreate it where those are not enough, and let its program ask for keepalive'],
  ] as const)('of %s is told what to do', (sandbox, advice) => {
    const [policy] = report({ seen: seen(sandbox) }).policies ?? [];
    expect(policy?.findings).toMatchObject([{ reason: 'NotReachable', pod: 'mongo-0' }]);
    expect(policy?.findings?.[0]?.message.endsWith(advice)).toBe(true);
  });

  test.each<[SandboxRuntime, ReturnType<typeof sysctls> | undefined, number | undefined]>([
    ['gVisor', sysctls(), 1],
    ['gVisor', sysctls(45, 30, 2), 1],
    ['gVisor', sysctls(600), undefined],
    ['gVisor', undefined, undefined],
    ['Kata', sysctls(), undefined],
  ])('of %s whose spec says %j heeds it, or is counted as one that does not', (sandbox, own, unheeded) => {
    const pods = [{ status: container, ...(own === undefined ? {} : { sysctls: own }) }];
    const [policy] = report({ pods, seen: seen(sandbox) }).policies ?? [];
    expect(policy).toMatchObject({ selected: 1, live: 0 });
    expect(policy?.unheeded).toBe(unheeded);
  });

  test('that asks to be left alone is told of as such', () => {
    const pods = [{ labels: { 'keepalive.dev/skip': 'true' }, status: container }];
    const [policy] = report({ pods, seen: seen('gVisor') }).policies ?? [];
    expect(policy).toMatchObject({ live: 0, findings: [{ reason: 'SkipLabel' }] });
  });
});
