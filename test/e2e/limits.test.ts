import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { until } from '../cluster/wait.ts';
import { defaultSettings } from '../../src/api/settings.ts';
import { beyondLimits } from '../../src/policy/limits.ts';
import { sysctls, teamSpec } from '../support/builder.ts';
import type { LimitCase } from '../support/limit-cases.ts';
import { limitCases } from '../support/limit-cases.ts';
import { Bench, ckap, condition, isReady, isStalled, kap, sleeper, untouched } from './shared.ts';

const bench = new Bench();
const namespace = 'e2e-limits';
const tenant = `--as=system:serviceaccount:${namespace}:tenant`;

/** With the rights of somebody who may edit this one namespace; empty where it was allowed. */
async function refusedTo(manifest: unknown, ...flags: string[]): Promise<string> {
  const { stderr, code } = await bench.cluster.exec(['kubectl', 'apply', tenant, ...flags, '-f', '-'], {
    stdin: JSON.stringify(manifest),
  });
  return code === 0 ? '' : stderr;
}

beforeAll(async () => {
  await bench.namespace(namespace);
  await bench.cluster.kubectl('create', 'serviceaccount', 'tenant', '-n', namespace);
  await bench.cluster.kubectl(
    ...['create', 'rolebinding', 'tenant', '-n', namespace, '--clusterrole=edit'],
    `--serviceaccount=${namespace}:tenant`,
  );
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
    const { stderr } = await bench.cluster.exec(['kubectl', tenant, ...patch, '-p', '{"data":{}}']);
    expect(stderr).toContain('Forbidden');
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

describe('a policy that was stored before a limit', () => {
  const policy = { kind: 'kap', name: 'stored', namespace } as const;
  beforeAll(async () => {
    await bench.resetSettings('shipped');
    await bench.start(sleeper('running', namespace));
    await bench.apply(kap(namespace, 'stored', 90));
    await bench.status(policy);
    await bench.untilValuesIn('running', namespace, '30/10/6');
  });
  afterAll(() => bench.cluster.kubectl('delete', 'kap', '--all', '-n', namespace));

  test('acts no more: new pods, running pods, and its status says why', async () => {
    await bench.settings({ smallestIdleTimeoutSeconds: '120' });
    const status = await bench.status(policy, isStalled);
    expect(condition(status, 'Stalled')).toMatchObject({ reason: 'BeyondLimits' });
    expect(condition(status, 'Stalled')?.message).toContain('nat (90 s)');
    await until(
      'new pods are left alone',
      async () => (await bench.dryRun(sleeper('new', namespace))).length === 0,
    );
    await bench.untilValuesIn('running', namespace, untouched);
  });

  test('can still be labelled by its owner', async () => {
    const { stderr } = await bench.cluster.exec([
      ...['kubectl', tenant, 'label', 'kap', 'stored', '-n', namespace, 'team=db'],
    ]);
    expect(stderr).toBe('');
  });

  test('acts again once it is allowed', async () => {
    await bench.settings({ smallestIdleTimeoutSeconds: '90' });
    await bench.status(policy, isReady);
    expect(await bench.dryRun(sleeper('new', namespace))).toEqual(sysctls(30, 10, 6));
    await bench.untilValuesIn('running', namespace, '30/10/6');
  });

  test('sets values and repairs no connection where namespaced policies may only observe', async () => {
    await bench.settings({ openConnections: 'Observe' });
    const status = await bench.status(policy, (s) => s.findings?.[0]?.reason === 'RepairNotAllowed');
    expect(isReady(status)).toBe(true);
    await until('one that asks for repair is refused', async () => {
      const said = await refusedTo(kap(namespace, 'repairs', 90), '--dry-run=server');
      return said.includes('spec.openConnections is Repair, which is the default');
    });
    expect(
      await refusedTo(kap(namespace, 'counts', 90, { openConnections: 'Observe' }), '--dry-run=server'),
    ).toBe('');
    expect(await bench.valuesIn('running', namespace)).toBe('30/10/6');
  });
});

describe('more policies than a namespace may have', () => {
  const ofApp = (name: string) => kap(namespace, name, 90, { podSelector: { matchLabels: { app: name } } });
  const third = { kind: 'kap', name: 'third', namespace } as const;
  const podOfThird = (name: string) => sleeper(name, namespace, { labels: { app: 'third' } });
  beforeAll(async () => {
    await bench.resetSettings('shipped');
    await bench.settings({ policiesPerNamespace: '2' });
    for (const name of ['first', 'second']) {
      await bench.apply(ofApp(name));
      await bench.status({ kind: 'kap', name, namespace });
    }
  });
  afterAll(() => bench.cluster.kubectl('delete', 'kap', '--all', '-n', namespace));

  test('are stored, do not act, and say so', async () => {
    expect(await refusedTo(ofApp('third'))).toBe('');
    const status = await bench.status(third, isStalled);
    expect(condition(status, 'Stalled')).toMatchObject({ reason: 'TooManyPolicies' });
    expect(condition(status, 'Stalled')?.message).toContain(`namespace ${namespace} has 2 older ones`);
    await bench.start(podOfThird('early'));
    expect(await bench.valuesIn('early', namespace)).toBe(untouched);
  });

  test('act once an older one is gone', async () => {
    await bench.cluster.kubectl('delete', 'kap', 'first', '-n', namespace);
    await bench.status(third, isReady);
    expect(await bench.dryRun(podOfThird('late'))).toEqual(sysctls(30, 10, 6));
    await bench.untilValuesIn('early', namespace, '30/10/6');
  });
});

describe('without the ConfigMap', () => {
  beforeAll(() =>
    bench.cluster.kubectl('delete', 'configmap', 'keepalive-settings', '-n', 'keepalive-system'),
  );
  afterAll(async () => {
    await bench.resetSettings('shipped');
    await bench.cluster.kubectl('delete', 'kap', '--all', '-n', namespace);
  });

  test('policies can be applied, the defaults hold, and that is told', async () => {
    await until('a short one can be applied', async () => (await refusedTo(kap(namespace, 'two', 2))) === '');
    const stalled = await bench.status({ kind: 'kap', name: 'two', namespace }, isStalled);
    expect(condition(stalled, 'Stalled')).toMatchObject({ reason: 'BeyondLimits' });
    expect(await refusedTo(kap(namespace, 'ten', 10))).toBe('');
    const status = await bench.status({ kind: 'kap', name: 'ten', namespace });
    expect(status.findings?.[0]).toMatchObject({ reason: 'SettingsUnreadable' });
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
