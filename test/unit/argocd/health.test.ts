import { describe, expect, test } from '@jest/globals';

import type { Verdict } from '../../../src/api/condition.ts';
import { conditionsOf } from '../../../src/api/condition.ts';
import { actionCases, healthCases, objectAt, scriptOf } from '../../support/argocd-cases.ts';
import { runLua } from '../../support/lua.ts';
import { Page } from '../docs/page.ts';

interface Policy {
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
  const expected: Readonly<Record<string, string>> = {
    'progressing-created': 'Progressing',
    'healthy-covered': 'Healthy',
    'healthy-not-covered': 'Progressing',
    'degraded-stalled': 'Degraded',
  };

  test.each(policies.filter(({ name }) => name in expected))('$kind $name', ({ path, name }) => {
    expect(runLua(script, objectAt(path))).toMatchObject({ status: expected[name] });
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
