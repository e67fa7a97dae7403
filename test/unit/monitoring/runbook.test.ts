import { describe, expect, test } from '@jest/globals';

import { alerts, runbookOf } from '../../../scripts/monitoring/alert.ts';
import { Page } from '../docs/page.ts';

const page = new Page('docs/runbook.md');

/** What stands below each heading. */
const sections = new Map(
  page.text.split(/^## /m).map((section) => {
    const [heading = '', ...rest] = section.split('\n');
    return [heading, rest.join('\n')];
  }),
);
const [, ...headings] = sections.keys();

test('the runbook has a section for each alert, in the same order, and one for what several lead to', () => {
  expect(headings).toEqual(['Install it again', ...alerts.map(({ name }) => name)]);
});

test('what was edited comes back by a command for each way to install, and whoever needs one is led there', () => {
  const [commands = ''] = page.blocks('sh', 'Install it again');
  const lines = commands.trim().split('\n');
  expect(lines).toHaveLength(3);
  // Helm 4 names a conflict and changes nothing where somebody edited by hand, which is what this is for.
  expect(lines[0]).toMatch(/^helm upgrade .* --reset-then-reuse-values .*--force-conflicts\b.*# Helm 4$/);
  expect(lines[1]).toMatch(/^helm upgrade .* --reset-then-reuse-values +# Helm 3$/);
  expect(lines[2]).toMatch(/^kubectl apply -k /);
  for (const name of [
    'KeepalivePolicyStalled',
    'KeepaliveReconcileFailing',
    'KeepaliveWebhookCertificateOld',
  ])
    expect([name, sections.get(name)]).toEqual([name, expect.stringContaining('](#install-it-again)')]);
});

test('of every reason for which a policy is stalled it says what becomes of its values', () => {
  const reasons = new Page('docs/install.md')
    .tableAfter('### Conditions')
    .filter(([condition]) => condition === '`Stalled`')
    .map(([, reason = '']) => reason);
  expect(reasons).toContain('`BeyondLimits`');
  const stalled = sections.get('KeepalivePolicyStalled') ?? '';
  const breaks = stalled.slice(stalled.indexOf('**Breaks.**'), stalled.indexOf('**Look.**'));
  // Of each of those that are too many no metric tells, so that they have an alert of their own.
  expect(reasons.filter((one) => !breaks.includes(one))).toEqual(['`TooManyPolicies`']);
  expect(sections.get('KeepalivePoliciesInExcess')).toContain('`TooManyPolicies`');
  expect(stalled).toContain('get configmap keepalive-settings');
});

test('it says where the places that its commands name come from', () => {
  const [head = ''] = page.text.split('\n## ');
  for (const place of ['keepalive-system', 'keepalive-agent']) {
    expect(page.text).toContain(`-n ${place} `);
    expect(head).toContain(place);
  }
  expect(head).toContain(
    'kubectl get deployments,daemonsets -A -l app.kubernetes.io/name=keepalive-operator',
  );
});

test('why no pod of the controller runs is asked of pods and of what makes them', () => {
  const [look = ''] = page.blocks('sh', 'KeepaliveNoLeader');
  expect(look).toMatch(/describe pods,replicasets -l \S*component=controller$/m);
});

describe.each(alerts)('$name', (alert) => {
  const section = sections.get(alert.name) ?? '';

  test('leads to its section', () => {
    const [path, anchor = ''] = runbookOf(alert).split('#');
    expect(path).toBe(page.path);
    expect(page.anchors).toContain(anchor);
  });

  test('says what it means, what breaks, where to look and what to do', () => {
    const parts = [...section.matchAll(/^\*\*(\w+)\.\*\*/gm)].map(([, part]) => part);
    expect(parts).toEqual(['Means', 'Breaks', 'Look', 'Do']);
    expect(section).toMatch(/\*\*Look\.\*\*\n\n```sh\nkubectl /);
  });

  test('is one line for who is called, and says for how long', () => {
    expect(alert.summary).not.toContain('\n');
    expect(alert.summary.length).toBeLessThan(200);
    expect(alert.minutes).toBeGreaterThanOrEqual(0);
  });

  test('looks back for less than it has to hold, so that what is over at once wakes nobody', () => {
    const minutes = [...alert.expr.matchAll(/\[(\d+)m\]/g)].map(([, count]) => Number(count));
    for (const window of minutes) expect(window).toBeLessThan(alert.minutes);
  });
});
