import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { until } from '../cluster/wait.ts';
import { defaultSettings } from '../../src/api/settings.ts';
import type { PolicyStatus } from '../../src/api/status.ts';
import { beyondLimits } from '../../src/policy/limits.ts';
import { teamSpec } from '../support/builder.ts';
import type { LimitCase } from '../support/limit-cases.ts';
import { limitCases } from '../support/limit-cases.ts';
import { limitedTests, Tenant } from './limited.ts';
import { Bench, ckap, condition, isReady, isStalled, kap } from './shared.ts';

const bench = new Bench();
const namespace = 'e2e-limits';
const tenant = new Tenant(() => bench, namespace);
const refusedTo = (manifest: unknown, ...flags: string[]) => tenant.refusal(manifest, ...flags);

beforeAll(async () => {
  await tenant.moveIn();
  await bench.resetSettings('shipped');
  await until('the shipped limit holds', async () => (await refusedTo(kap(namespace, 'two', 2))) !== '');
});
afterAll(async () => {
  await bench.resetSettings('lab');
  await bench.cluster.kubectl('delete', 'namespace', namespace, '--wait=false');
  await bench.cluster.kubectl('delete', 'ckap', '--all');
});

describe('a tenant, as the product is shipped', () => {
  test('is refused a timeout of 2 s, and told what is allowed and whom to ask', async () => {
    expect(await refusedTo(kap(namespace, 'two', 2))).toContain(
      'spec.path declares nat (2 s); a KeepalivePolicy of this cluster may declare no idle timeout below 10 s: declare a longer one, ' +
        'or ask whoever administers the cluster (ConfigMap keepalive-system/keepalive-settings, smallestIdleTimeoutSeconds)',
    );
  });

  test('may have one of 10 s, and not shorten it after', async () => {
    expect(await refusedTo(kap(namespace, 'ten', 10))).toBe('');
    expect(await refusedTo(kap(namespace, 'ten', 9))).toContain('nat (9 s)');
    await bench.cluster.kubectl('delete', 'kap', 'ten', '-n', namespace);
  });

  test('cannot write the settings', async () => {
    const patch = ['patch', 'configmap', 'keepalive-settings', '-n', 'keepalive-system', '--type=merge'];
    expect((await tenant.kubectl(...patch, '-p', '{"data":{}}')).stderr).toContain('Forbidden');
  });

  test('has the limits alone: a cluster policy, which only administrators write, has none', async () => {
    await bench.apply(ckap('short', 2, { podSelector: { matchLabels: { app: 'nobody' } } }));
    await bench.status({ kind: 'ckap', name: 'short' });
  });
});

const grouped = Map.groupBy(limitCases, ({ settings }) => JSON.stringify(settings));
test.each([...grouped])('under %s the API server refuses what the library does', async (_, cases) => {
  const [first] = cases;
  await bench.resetSettings('shipped');
  await bench.settings(
    Object.fromEntries(Object.entries(first?.settings ?? {}).map(([key, value]) => [key, String(value)])),
  );
  const differing = async () => {
    const all = await Promise.all(
      cases.map(async (one) => ({ one, said: await refusedTo(specimen(one), '--dry-run=server') })),
    );
    return all.filter(({ one, said }) => !isAsDecided(one, said)).map(({ one, said }) => [one.what, said]);
  };
  let last: unknown;
  await until('it does so in every case', async () => {
    const found = await differing();
    last = found;
    return found.length === 0;
  }).catch(() => undefined);
  expect(last).toEqual([]);
});

const specimen = ({ spec }: LimitCase) => kap(namespace, 'specimen', 90, spec);
function isAsDecided({ spec, settings, beyond }: LimitCase, said: string): boolean {
  const decided = beyondLimits(teamSpec(90, spec), { ...defaultSettings, ...settings });
  return decided === undefined
    ? said === ''
    : said.includes('limits.keepalive.dev') && said.includes(beyond ?? '');
}

limitedTests(() => bench, 'e2e-limited');

describe('without the ConfigMap', () => {
  beforeAll(() =>
    bench.cluster.kubectl('delete', 'configmap', 'keepalive-settings', '-n', 'keepalive-system'),
  );
  afterAll(async () => {
    await bench.resetSettings('shipped');
    await bench.cluster.kubectl('delete', 'kap', '--all', '-n', namespace);
  });

  test('policies can be applied, the defaults hold after a minute, and that is told', async () => {
    await until('a short one can be applied', async () => (await refusedTo(kap(namespace, 'two', 2))) === '');
    const stalled = await bench.status({ kind: 'kap', name: 'two', namespace }, isStalled);
    expect(condition(stalled, 'Stalled')).toMatchObject({ reason: 'BeyondLimits' });
    expect(await refusedTo(kap(namespace, 'ten', 10))).toBe('');
    const isTold = (s: PolicyStatus) => s.findings?.[0]?.reason === 'SettingsUnreadable';
    await bench.status({ kind: 'kap', name: 'ten', namespace }, (s) => isReady(s) && isTold(s), 150_000);
  });
});

test('a setting that nobody could read is refused', async () => {
  const refusal = async (data: object) => {
    const metadata = { name: 'keepalive-settings', namespace: 'keepalive-system' };
    return bench.refusal({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data });
  };
  expect(await refusal({ acting: 'audit' })).toContain(
    'acting: expected Enforce or Audit or AuditAndRestore',
  );
  expect(await refusal({ smallestIdleTimeoutSeconds: '1' })).toContain('a whole number from 2 to 432000');
  expect(await refusal({ smallestTimeout: '5' })).toContain('there are these settings and no others');
});
