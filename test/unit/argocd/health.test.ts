import { describe, expect, test } from '@jest/globals';

import type { Verdict } from '../../../src/api/condition.ts';
import { conditionsOf } from '../../../src/api/condition.ts';
import type { PolicyKind } from '../../../src/api/group.ts';
import type { NodeKeepaliveStatus } from '../../../src/api/node-keepalive.ts';
import { nodeKeepaliveStatusSchema } from '../../../src/api/node-keepalive.ts';
import type { PolicyStatus } from '../../../src/api/status.ts';
import { unseenStatus } from '../../../src/api/status.ts';
import { unknownFields, verdictOn } from '../../../src/api/verdict.ts';
import { digestOfPolicy } from '../../../src/policy/policy-digest.ts';
import { actionCases, coveredHealthOf, healthCases, objectAt, scriptOf } from '../../support/argocd-cases.ts';
import { runLua } from '../../support/lua.ts';
import { Page } from '../docs/page.ts';

interface Policy {
  readonly metadata: { readonly uid: string };
  readonly spec: { readonly mode?: string };
  readonly status: object;
}

describe('what Argo CD is told of an object that was taken from a cluster', () => {
  test.each(healthCases)('$kind $name: $health.status', ({ kind, path, health }) => {
    expect(runLua(scriptOf(kind, 'health.lua'), objectAt(path))).toEqual(health);
  });

  test('there is an object of each status that a person tells apart', () => {
    const seen = (kind: string) =>
      [...new Set(healthCases.filter((one) => one.kind === kind).map(({ health }) => health.status))].sort();
    expect(seen('KeepalivePolicy')).toEqual(['Degraded', 'Healthy', 'Progressing', 'Suspended']);
    expect(seen('ClusterKeepalivePolicy')).toEqual(['Degraded', 'Healthy', 'Progressing', 'Suspended']);
    expect(seen('NodeKeepalive')).toEqual(['Healthy', 'Progressing']);
  });

  test('both kinds of policies are judged and acted upon by the same scripts', () => {
    for (const path of ['health.lua', ...actionScripts])
      expect(scriptOf('ClusterKeepalivePolicy', path)).toBe(scriptOf('KeepalivePolicy', path));
  });
});

const actionScripts = ['discovery', 'audit/action', 'enforce/action'].map((name) => `actions/${name}.lua`);
const health = scriptOf('KeepalivePolicy', 'health.lua');

describe('the objects that were taken from a cluster are as the product has them now', () => {
  const acted = actionCases.flatMap(({ kind, discovery, runs }) =>
    [...discovery.map(({ path }) => path), ...runs.map(({ to }) => to)].map((path) => ({ kind, path })),
  );
  const policies = [...healthCases, ...acted].flatMap(({ kind, path }) =>
    kind === 'NodeKeepalive' ? [] : [{ kind: kind as PolicyKind, path }],
  );
  const reports = healthCases.filter(({ kind }) => kind === 'NodeKeepalive');
  const named = (kind: string, name: string) =>
    objectAt(healthCases.find((one) => one.kind === kind && one.name === name)?.path ?? name);

  test.each(policies)('the API server takes every field of $path', ({ kind, path }) => {
    expect(verdictOn(kind, objectAt(path))).toEqual([]);
    expect(unknownFields(kind, objectAt(path))).toEqual([]);
  });

  test.each(reports)('and every field of the NodeKeepalive $name', ({ path }) => {
    const { status = {} } = objectAt(path) as { status?: object };
    expect(nodeKeepaliveStatusSchema.parse(status)).toEqual(status);
  });

  test.each(['KeepalivePolicy', 'ClusterKeepalivePolicy'])(
    'a %s that nobody has seen yet has the status that the API server gives it',
    (kind) => {
      expect((named(kind, 'progressing-created') as Policy).status).toEqual(unseenStatus);
    },
  );

  test('the report speaks of the policies that stand beside it', () => {
    const { status } = named('NodeKeepalive', 'healthy-reported') as { status: NodeKeepaliveStatus };
    const told = status.policies?.map(({ kind, policyDigest }) => [kind, policyDigest]);
    const digests = ['ClusterKeepalivePolicy', 'KeepalivePolicy'].map((kind) => {
      const { metadata, status: of } = named(kind, 'healthy-covered') as Policy & { status: PolicyStatus };
      return [kind, of.effective && digestOfPolicy(metadata.uid, of.effective)];
    });
    expect(told).toEqual(digests);
  });
});

describe('each verdict of the controller has its health', () => {
  const message = 'why';
  const coverage = { status: 'True', reason: 'AllCovered', message: 'all of it' } as const;
  const judged = (verdict: Verdict, { mode, observed = 2 }: { mode: string; observed?: number }) => {
    const context = { generation: observed, now: new Date(0), previous: [] };
    const status = { observedGeneration: observed, conditions: conditionsOf(verdict, coverage, context) };
    return runLua(health, { metadata: { generation: 2 }, spec: { mode }, status });
  };

  test.each([
    ['ready', 'Enforced', 'Enforce', 'Healthy'],
    ['ready', 'Audited', 'Audit', 'Suspended'],
    ['ready', 'SwitchedOff', 'Enforce', 'Healthy'],
    ['reconciling', 'Activating', 'Enforce', 'Progressing'],
    ['reconciling', 'Activating', 'Audit', 'Progressing'],
    ['stalled', 'BeyondLimits', 'Enforce', 'Degraded'],
    ['stalled', 'BeyondLimits', 'Audit', 'Degraded'],
  ] as const)('%s by %s in mode %s is %s', (kind, reason, mode, status) => {
    expect(judged({ kind, reason, message }, { mode })).toEqual({ status, message });
  });

  test.each(['ready', 'stalled'] as const)('what was %s of an earlier generation is Progressing', (kind) => {
    const verdict = { kind, reason: 'Earlier', message };
    expect(judged(verdict, { mode: 'Enforce', observed: 1 })).toMatchObject({ status: 'Progressing' });
  });
});

describe('what docs/argocd.md offers whoever takes covered for healthy', () => {
  const [script = ''] = new Page('docs/argocd.md').blocks('lua');
  const policies = healthCases.filter(({ kind }) => kind !== 'NodeKeepalive');

  test.each(policies)('$kind $name', ({ path, ...which }) => {
    expect(runLua(script, objectAt(path))).toMatchObject({ status: coveredHealthOf(which) });
  });
});

describe.each(actionCases)('the actions on a $kind', ({ kind, discovery, runs }) => {
  test.each(discovery)('$names are offered where it is $name', ({ path, names }) => {
    const offered = runLua(scriptOf(kind, 'actions/discovery.lua'), objectAt(path)) as object;
    expect(Object.keys(offered)).toEqual(names);
  });

  test.each(runs)('$action changes the mode and nothing else', ({ action, from, to }) => {
    const before = objectAt(from) as Policy;
    const after = runLua(scriptOf(kind, `actions/${action}/action.lua`), before) as Policy;
    expect(objectAt(to)).toEqual({ ...before, spec: { ...before.spec, mode: after.spec.mode } });
    expect(Object.keys(after.status)).toEqual(Object.keys(before.status));
  });
});
