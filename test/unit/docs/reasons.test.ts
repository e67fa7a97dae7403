import { expect, test } from '@jest/globals';

import { Page, pages } from './page.ts';

const install = new Page('docs/install.md');
/** That each of these can be said, and no other, numbers.test.ts sees to. */
const namesIn = (mark: string, column = 0) =>
  install.tableAfter(mark).map((cells) => (cells[column] ?? '').replaceAll('`', ''));
const findings = new Set(namesIn('### Findings'));
const reasons = new Set([...findings, ...namesIn('### Conditions', 1), 'BindingRepaired']);
const alerts = [...new Page('docs/runbook.md').text.matchAll(/^## (Keepalive\w+)$/gm)].map(
  ([, name]) => name,
);

/** Kinds, and words that others say, or that are a value of a field. */
const others = new Set([
  ...['KeepalivePolicy', 'ClusterKeepalivePolicy', 'NodeKeepalive', 'ValuesOnly'],
  ...[
    'MutatingAdmissionPolicy',
    'ValidatingAdmissionPolicy',
    'ResourceQuota',
    'LoadBalancer',
    'ResourceList',
    'OwnerReferencesPermissionEnforcement',
  ],
  ...['HelmRelease', 'OpenShift', 'AuditAndRestore', 'WorkloadAllowlist', 'RuntimeDefault'],
  ...['FailedCreate', 'SysctlForbidden', 'ServiceUnavailable', 'KeepAliveTime'],
]);
const known = new Set([...reasons, ...alerts, ...others]);

const named = (text: string) =>
  [...text.matchAll(/`([A-Z][a-z]+(?:[A-Z][a-z]*)+)`/g)].map(([, name = '']) => name);
const prose = pages()
  .filter(({ path }) => /^(?:README|docs\/[^/]+)\.md$/.test(path))
  .map(({ path, text }) => [path, text.replaceAll(/^```.*?^```$/gms, '')] as const);

test('pages name findings and reasons', () => {
  expect(reasons.size).toBeGreaterThan(50);
  expect(new Set(prose.flatMap(([, text]) => named(text))).size).toBeGreaterThan(60);
});

test.each(prose)('%s: every reason that it names is one', (_, text) => {
  expect(named(text).filter((name) => !known.has(name))).toEqual([]);
});

test.each(prose)('%s: what it calls a finding is one, and no reason of a condition', (_, text) => {
  const lists = [...text.matchAll(/\bfinding\b[^`.|]*((?:`[A-Z]\w+`(?:,\s|\sor\s|\sand\s)?)+)/g)];
  const called = lists.flatMap(([, list = '']) => named(list));
  expect(called.filter((name) => !findings.has(name))).toEqual([]);
});
