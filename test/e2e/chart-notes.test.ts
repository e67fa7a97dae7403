import { spawnSync } from 'node:child_process';

import { beforeAll, describe, expect, test } from '@jest/globals';

import type { Acting } from '../../src/api/settings.ts';
import { actings } from '../../src/api/settings.ts';
import { buildHelms, buildMs } from '../support/helm.ts';
import { notesWith } from '../support/notes.ts';
import { Page } from '../unit/docs/page.ts';

beforeAll(buildHelms, buildMs);

const set = (...values: readonly string[]) => values.flatMap((value) => ['--set', value]);

/** From the first one on, up to the next empty line. */
const commandsOf = (notes: string) => notes.slice(notes.search(/^ *kubectl/m)).split(/\n\s*\n/)[0] ?? '';

test('its first commands can be pasted into a shell as they stand there', async () => {
  const commands = commandsOf(await notesWith([]));
  expect(commands).toContain('kubectl get kap -A');
  const { stderr, status } = spawnSync('bash', ['-n'], { input: commands, encoding: 'utf8' });
  // A document that does not end is only warned of: a shell that somebody types into waits for its end.
  expect([status, stderr]).toEqual([0, '']);
});

test.each([
  ['of its own while namespaces may have shorter ones', 10, 350],
  ['of the shortest that namespaces may have', 600, 600],
])('its first policy has a timeout %s', async (_which, limit, timeout) => {
  const commands = commandsOf(await notesWith(set(`settings.smallestIdleTimeoutSeconds=${limit}`)));
  expect(commands).toContain(`idleTimeoutSeconds: ${timeout}}`);
});

test.each([
  ['only counts open connections where namespaces may do no more', 'Observe', true],
  ['leaves them at the default where they may', 'Repair', false],
])('its first policy %s', async (_what, allowed, isTold) => {
  const commands = commandsOf(await notesWith(set(`settings.openConnections=${allowed}`)));
  expect(/^ {2}openConnections: Observe\nYAML$/m.test(commands)).toBe(isTold);
  expect(commands).toContain('\nYAML\n');
});

test('where no namespace may have a policy, none is given, and what is left is told', async () => {
  const told = await notesWith(set('settings.policiesPerNamespace=0'));
  expect(told).not.toContain('kubectl apply');
  expect(told).toContain('which leaves ClusterKeepalivePolicy.');
});

test('an upgrade tells what becomes of agents that it takes away, and of their reports', async () => {
  const told = (...args: readonly string[]) => notesWith([...set('agent.enabled=false'), ...args]);
  const removed = 'the controller removes what is left of their reports';
  expect(await told('--is-upgrade')).toContain(removed);
  expect(await told()).not.toContain(removed);
});

describe('where the namespace of the agents is not of the release', () => {
  const keep = 'kubectl annotate namespace keepalive-agent helm.sh/resource-policy=keep';
  const told = (...args: readonly string[]) => notesWith([...set('agent.createNamespace=false'), ...args]);

  test('an upgrade tells how one that was is kept, as the page does', async () => {
    expect(await told('--is-upgrade')).toContain(keep);
    expect(new Page('docs/upgrade.md').blocks('sh', 'With Helm')).toContain(`${keep}\n`);
  });

  test('on OpenShift that one is taken out of the default node selector by hand, and elsewhere not', async () => {
    const annotate = 'kubectl annotate namespace keepalive-agent openshift.io/node-selector= --overwrite';
    expect(await told(...set('openshift.enabled=true'))).toContain(annotate);
    expect(await told()).not.toContain('openshift');
  });

  test('an installation has none to keep', async () => {
    expect(await told()).not.toContain(keep);
  });
});

describe('with network policies', () => {
  const told = (...values: readonly string[]) => notesWith(set('networkPolicy.enabled=true', ...values));
  const silent = 'KeepaliveNoLeader does not end';

  test.each([['podMonitor'], ['prometheusRule']])(
    'and a %s, nobody may read what it is for',
    async (kind) => {
      expect(await told(`${kind}.enabled=true`)).toContain(silent);
    },
  );

  test('and nothing for Prometheus, there is nothing to tell', async () => {
    expect(await told()).not.toContain(silent);
  });

  test('that let Prometheus in, there is nothing to tell', async () => {
    const from = 'networkPolicy.metricsFrom[0].namespaceSelector.matchLabels.a=b';
    expect(await told('prometheusRule.enabled=true', from)).not.toContain(silent);
  });
});

describe('in the network of its nodes', () => {
  const told = (...values: readonly string[]) => notesWith(set('controller.hostNetwork=true', ...values));
  const label = 'kubectl label namespace keepalive-system pod-security.kubernetes.io/enforce=privileged';

  test('the controller needs a namespace that lets it be there, and elsewhere it does not', async () => {
    expect(await told()).toContain(label);
    expect(await notesWith([])).not.toContain(label);
  });

  test('no network policy is around it', async () => {
    const open = 'there is none for the controller';
    expect(await told('networkPolicy.enabled=true')).toContain(open);
    expect(await told()).not.toContain(open);
  });

  test.each([
    ['agents, whose metrics nobody may read', 'true', true],
    ['none', 'false', false],
  ])('Prometheus reads its metrics all the same; with %s', async (_what, enabled, isTold) => {
    const fenced = ['networkPolicy.enabled=true', 'prometheusRule.enabled=true', `agent.enabled=${enabled}`];
    const notes = await told(...fenced);
    expect(notes).not.toContain('KeepaliveNoLeader');
    expect(notes.includes('nobody may read the metrics of the agents')).toBe(isTold);
  });
});

describe('with one replica', () => {
  const alone = async (...values: readonly string[]) =>
    (await notesWith(set('controller.replicas=1', ...values))).split('controller.replicas is 1')[1];

  test.each([['auto'], ['policy'], ['both']])(
    'admission=%s: pods get their values all the same',
    async (mode) => {
      expect(await alone(`admission=${mode}`)).toContain('Pods get their values all the same.');
    },
  );

  test('by the webhook: new pods start without the values, and agents give them theirs', async () => {
    const told = await alone('admission=webhook');
    expect(told).not.toContain('all the same');
    expect(told).toMatch(/new pods start without the values, until agents give them theirs/);
  });

  test('by the webhook and without agents: nobody gives them any', async () => {
    const told = await alone('admission=webhook', 'agent.enabled=false');
    expect(told).toMatch(/new pods start without the values, and keep what they have/);
    expect(told).not.toContain('agents');
  });
});

describe('with the switch', () => {
  const back = 'values of running pods and of nodes go back to what was found';
  const said = {
    Enforce: [],
    Audit: ['nothing is changed in this cluster, and what was set before stays'],
    AuditAndRestore: [back, 'else nothing is changed'],
  } satisfies Record<Acting, string[]>;

  test.each(actings)('at %s, that and nothing else is told', async (acting) => {
    const told = await notesWith(set(`settings.acting=${acting}`));
    for (const [position, sentences] of Object.entries(said)) {
      const isSet = position === acting;
      expect([position, told.includes(`settings.acting is ${position}:`)]).toEqual([
        position,
        isSet && sentences.length > 0,
      ]);
      for (const sentence of sentences)
        expect([sentence, told.includes(sentence)]).toEqual([sentence, isSet]);
    }
  });

  test('untouched, it is not spoken of', async () => {
    expect(await notesWith([])).not.toContain('settings.acting');
  });
});
