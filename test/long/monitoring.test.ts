import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import type { PolicyStatus } from '../../src/api/status.ts';
import { lastingReasons } from '../../src/policy/coverage.ts';
import { alerts } from '../../scripts/monitoring/alert.ts';
import { catalogue } from '../../scripts/monitoring/catalogue.ts';
import { dashboards } from '../../scripts/monitoring/dashboard.ts';
import { webhookRow } from '../../scripts/monitoring/operator-dashboard.ts';
import { Cluster } from '../cluster/cluster.ts';
import { until } from '../cluster/wait.ts';
import { Bench, ckap, condition, kap, sleeper } from '../e2e/shared.ts';
import { buildMs } from '../support/helm.ts';
import { LabPrometheus } from '../support/lab-prometheus.ts';
import { Overlays } from '../support/overlay.ts';
import { buildPrometheus } from '../support/promtool.ts';
import { fight, rest, rival, rivalBinding } from './harm.ts';

let cluster: Cluster;
let bench: Bench;
let prometheus: LabPrometheus;
const overlays = new Overlays();
const namespace = 'watched';
const home = 'keepalive-system';
const agents = 'keepalive-agent';
const team = { kind: 'kap', name: 'team', namespace } as const;
const platform = { kind: 'ckap', name: 'platform' } as const;
const isCovered = (status: PolicyStatus) => condition(status, 'Covered')?.status === 'True';

beforeAll(async () => {
  await buildPrometheus();
  cluster = await Cluster.up({ name: 'e2e-monitoring', nodes: 1, owned: true });
  bench = new Bench(cluster);
  await cluster.install();
  await bench.namespace(namespace);
  // Of pods elsewhere: else it would repair connections that `team` only observes.
  const namespaceSelector = { matchLabels: { 'kubernetes.io/metadata.name': home } };
  const forNodes = ckap('platform', 90, { namespaceSelector, nodes: { selector: {} } });
  // Of one that selects nothing, nobody can tell whether it is covered.
  const nobody = kap(namespace, 'nobody', 90, { podSelector: { matchLabels: { app: 'nobody' } } });
  await bench.apply(kap(namespace, 'team', 90), nobody, forNodes);
  await bench.start(sleeper('app', namespace), talker('server', ['serve', '7000']));
  const { status } = await bench.json<{ status: { podIP: string } }>('pod', 'server', '-n', namespace);
  await bench.start(talker('client', ['connect', status.podIP, '7000', '--silent', '3600']));
  for (const policy of [team, platform]) await bench.status(policy, isCovered, 240_000);
  // Of a range that ends now, what was counted before the first scrape is not seen.
  await bench.apply(kap(namespace, 'team', 60));
  prometheus = await LabPrometheus.start(cluster, impatient);
  await until('all three are up', isEverybodyScraped);
  await bench.apply(kap(namespace, 'team', 90));
  // It is looked for among all processes, and who looks is measured.
  await bench.start(sleeper('newcomer', namespace));
}, buildMs);
afterAll(async () => {
  overlays.remove();
  await cluster.down();
});

const isEverybodyScraped = async () => (await prometheus.query('up == 1')).length === 3;
const contact = 'keepalive_reflector_last_contact_seconds';
/**
 * A new certificate is good for months: to whoever wants years it is near its end. Of NodeKeepalives something is heard each minute. And that no
 * agent reports is brought about sooner than what no waiting ends.
 */
const impatient = alerts.map((alert) => ({
  ...alert,
  expr: alert.expr
    .replace('21 * 86400', '4000 * 86400')
    .replace(`${contact}) > 660`, `${contact}{resource="nodekeepalives"}) > 200`)
    .replace(lastingReasons.join('|'), 'NoAgent'),
}));

function talker(name: string, args: readonly string[]) {
  const pod = sleeper(name, namespace);
  const [main] = pod.spec.containers;
  const containers = [{ ...main, command: ['idle', ...args] }] as typeof pod.spec.containers;
  return { ...pod, spec: { ...pod.spec, containers } };
}

const metrics = catalogue();
const ofWebhook = metrics.filter(({ of }) => of.includes('webhook')).map(({ name }) => name);

describe('Prometheus', () => {
  test('scrapes every replica and every agent', async () => {
    expect(await isEverybodyScraped()).toBe(true);
    const components = (await prometheus.query('keepalive_build_info')).map(({ metric }) => metric.component);
    expect(components.sort()).toEqual(['agent', 'controller', 'controller']);
  });

  test('finds the metrics of the page, with its labels, and no other of ours', async () => {
    const found = await prometheus.query('{__name__=~"keepalive_.+"}');
    const ofScrape = ['__name__', 'instance', 'job', 'namespace', 'pod', 'container', 'le', 'quantile'];
    const seen = new Map<string, Set<string>>();
    for (const { metric } of found) {
      const written = metric.__name__ ?? '';
      const known = metrics.find(({ name }) => name === written);
      const name = known?.name ?? written.replace(/_(bucket|sum|count)$/, '');
      const labels = Object.keys(metric).filter((label) => !ofScrape.includes(label));
      seen.set(name, new Set([...(seen.get(name) ?? []), ...labels]));
    }
    const told = new Map(metrics.map(({ name, labels }) => [name, labels]));
    const expected = [...told.keys()].filter((name) => !ofWebhook.includes(name));
    expect([...seen.keys()].sort()).toEqual(expected.sort());
    for (const [name, labels] of seen) expect(told.get(name)).toEqual(expect.arrayContaining([...labels]));
  });

  test('gets 40 series at most from an agent', async () => {
    const [scraped] = await prometheus.query('scrape_samples_scraped{container="agent"}');
    expect(scraped?.value).toBeLessThanOrEqual(40);
  });

  test('has nothing to complain of where all is well', async () => {
    await bench.status(team, isCovered, 240_000);
    await prometheus.untilQuiet();
  });
});

/** As Grafana asks, for all policies. */
const asked = (expr: string) =>
  expr.replaceAll('$__rate_interval', '5m').replaceAll(/\$(namespace|policy)/g, '.*');

describe.each(dashboards)('of the dashboard $title', ({ rows }) => {
  const queries = Object.entries(rows)
    .filter(([row]) => row !== webhookRow)
    .flatMap(([, panels]) =>
      panels.flatMap(({ title, queries }) => queries.map(({ expr }) => ({ title, expr }))),
    );
  test.each(queries)('$title shows something: $expr', async ({ expr }) => {
    await until(`${expr} has data`, () => hasData(expr), { timeoutMs: 100_000, everyMs: 1000 });
  });
});

const hasData = async (expr: string) =>
  (await prometheus.query(asked(expr))).some(({ value }) => Number.isFinite(value));

/** What was tried here. */
const provoked = new Set<string>();
/** These look back over some minutes, and so fire on for a while after all is well. */
const lasting = [
  ...['KeepaliveAdmissionSilent', 'KeepaliveCoverageUnknown'],
  ...['KeepaliveReconcileFailing', 'KeepaliveValuesFoughtOver'],
];

/** Does harm, waits for the alerts, and mends it. */
async function provoke(
  names: readonly string[],
  { harm, mend }: { readonly harm: () => Promise<unknown>; readonly mend: () => Promise<unknown> },
): Promise<void> {
  await harm();
  try {
    await prometheus.untilFires(...names);
  } finally {
    await mend();
  }
  for (const name of names) provoked.add(name);
  await prometheus.untilQuiet(lasting);
}

const scale = (replicas: number) =>
  cluster.kubectl('scale', '-n', home, 'deployment/keepalive-controller', `--replicas=${replicas}`);
const image = (name: string) =>
  cluster.kubectl('set', 'image', '-n', agents, 'daemonset/keepalive-agent', `agent=${name}`);

/** Of the controller. */
async function rightsTo(what: string) {
  const role = 'clusterrole/keepalive-controller';
  const { rules } = await bench.json<{ rules: readonly { resources?: readonly string[] }[] }>(role);
  const patch = (wanted: unknown) =>
    cluster.kubectl('patch', role, '--type=merge', '-p', JSON.stringify({ rules: wanted }));
  const left = rules.filter(({ resources = [] }) => !resources.some((one) => one.endsWith(what)));
  return { take: () => patch(left), giveBack: () => patch(rules) };
}

describe('an alert fires, and is over when all is well again', () => {
  test('KeepaliveNoLeader: the controller is gone', () =>
    provoke(['KeepaliveNoLeader'], { harm: () => scale(0), mend: () => scale(2) }));

  test('KeepalivePolicyStalled: a policy asks for less than is allowed', () =>
    provoke(['KeepalivePolicyStalled'], {
      harm: () => bench.settings({ smallestIdleTimeoutSeconds: '600' }),
      mend: () => bench.resetSettings('lab'),
    }));

  test('KeepaliveAdmissionSilent and KeepalivePolicyNotReady: another policy undoes what ours do', () =>
    provoke(['KeepaliveAdmissionSilent', 'KeepalivePolicyNotReady'], {
      harm: () => bench.apply(rival, rivalBinding),
      mend: () =>
        cluster.kubectl(
          'delete',
          'mutatingadmissionpolicybinding,mutatingadmissionpolicy',
          rival.metadata.name,
        ),
    }));

  test('KeepalivePoliciesInExcess: no policy of a namespace is allowed any more', () =>
    provoke(['KeepalivePoliciesInExcess'], {
      harm: () => bench.settings({ policiesPerNamespace: '0' }),
      mend: () => bench.resetSettings('lab'),
    }));

  test('KeepaliveReconcileFailing: the right to write statuses is gone', async () => {
    const { take, giveBack } = await rightsTo('policies/status');
    await provoke(['KeepaliveReconcileFailing'], {
      harm: async () => {
        await take();
        await bench.apply(kap(namespace, 'team', 120));
      },
      mend: async () => {
        await giveBack();
        await bench.apply(kap(namespace, 'team', 90));
      },
    });
  });

  test('KeepaliveWatchSilent: the right to read NodeKeepalives is gone, and a watch that is open does not go on', async () => {
    const { take, giveBack } = await rightsTo('nodekeepalives');
    await provoke(['KeepaliveWatchSilent'], {
      harm: async () => {
        await take();
        await scale(0);
        await scale(2);
      },
      mend: giveBack,
    });
  }, 600_000);

  test('KeepalivePodsNotCovered: a pod asks to be left alone', () =>
    provoke(['KeepalivePodsNotCovered'], {
      harm: () => bench.start(sleeper('alone', namespace, { labels: { 'keepalive.dev/skip': 'true' } })),
      mend: () => cluster.kubectl('delete', 'pod', 'alone', '-n', namespace),
    }));

  test('KeepaliveConnectionsExposed: a new one, which nobody may repair', () =>
    provoke(['KeepaliveConnectionsExposed'], {
      harm: async () => {
        await bench.settings({ openConnections: 'Observe' });
        const { status } = await bench.json<{ status: { podIP: string } }>('pod', 'server', '-n', namespace);
        await bench.start(talker('late', ['connect', status.podIP, '7000', '--silent', '3600']));
      },
      mend: () => bench.resetSettings('lab'),
    }));

  test(
    'KeepaliveNodesNotCovered and KeepaliveValuesFoughtOver: somebody else sets values back',
    () =>
      provoke(['KeepaliveNodesNotCovered', 'KeepaliveValuesFoughtOver'], {
        harm: () => cluster.onNode('n1', fight),
        mend: () => cluster.onNode('n1', rest),
      }),
    600_000,
  );

  test('KeepaliveAgentsMissing and what follows from it: their image cannot be had', async () => {
    const before = await cluster.kubectl(
      ...['get', '-n', agents, 'daemonset/keepalive-agent', '-o', 'jsonpath={..containers[0].image}'],
    );
    await provoke(['KeepaliveAgentsMissing', 'KeepaliveFewAgentsMissing', 'KeepaliveCoverageUnknown'], {
      harm: () => image('localhost/none-such:1'),
      mend: () => image(before),
    });
  });
});

describe('with the webhook', () => {
  beforeAll(async () => {
    await cluster.install({ folder: overlays.write('webhook', { components: ['webhook'] }), isLoaded: true });
    await bench.apply(sleeper('asked', namespace));
  }, 300_000);

  test('its metrics are there', async () => {
    for (const name of ofWebhook)
      await until(`${name} is there`, async () => {
        return (await prometheus.query(`{__name__=~"${name}(_count)?"}`)).length > 0;
      });
  });

  const panels = dashboards.flatMap(({ rows }) => rows[webhookRow] ?? []);
  const queries = panels.flatMap(({ title, queries }) => queries.map(({ expr }) => ({ title, expr })));
  test.each(queries)('$title shows something: $expr', async ({ expr }) => {
    await until(`${expr} has data`, () => hasData(expr), { timeoutMs: 100_000, everyMs: 1000 });
  });

  test('KeepaliveWebhookCertificateOld fires for whoever wants years', async () => {
    await prometheus.untilFires('KeepaliveWebhookCertificateOld');
    provoked.add('KeepaliveWebhookCertificateOld');
  });
});

test('no alert is left that was not provoked', () => {
  expect([...provoked].sort()).toEqual(alerts.map(({ name }) => name).sort());
});
