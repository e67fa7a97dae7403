import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { stringify } from 'yaml';

import { repository } from '../cluster/place.ts';
import { provide } from '../cluster/prepare.ts';
import { argoCd } from '../cluster/program.ts';
import { actionCases, coveredHealthOf, healthCases } from '../support/argocd-cases.ts';
import { Page } from '../unit/docs/page.ts';

/** No cluster: Argo CD's own program judges objects that were taken from one, by what it is told in its ConfigMap. */
const program = argoCd();
/** Two thousand packages are compiled the first time. */
const buildMs = 7_200_000;
const configMap = join(repository, 'deploy/argocd/argocd-cm.yaml');
const folder = mkdtempSync(join(tmpdir(), 'keepalive-argocd-'));

beforeAll(() => provide({ programs: [program] }, undefined), buildMs);
afterAll(() => {
  rmSync(folder, { recursive: true });
});

async function overrides(command: string, args: readonly string[], told = configMap): Promise<string> {
  const argv = ['admin', 'settings', 'resource-overrides', command, ...args, '--argocd-cm-path', told];
  const env = { ...process.env, HOME: folder, KUBECTL_EXTERNAL_DIFF: 'diff -U0' };
  return (await promisify(execFile)(join(program.place, 'argocd'), argv, { env })).stdout;
}

test.each(healthCases)('Argo CD calls the $kind $name $health.status', async ({ path, health }) => {
  expect(await overrides('health', [path])).toBe(`STATUS: ${health.status}\nMESSAGE: ${health.message}\n`);
});

test('without what it is told it has no word for any of our kinds', async () => {
  const empty = join(folder, 'argocd-cm.yaml');
  writeFileSync(empty, 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: argocd-cm }\n');
  const [{ path } = { path: '' }] = healthCases;
  expect(await overrides('health', [path], empty)).toContain('not configured');
});

describe('told that covered is what healthy means, as docs/argocd.md offers', () => {
  const told = join(folder, 'covered-cm.yaml');
  const policies = healthCases.filter(({ kind }) => kind !== 'NodeKeepalive');

  beforeAll(() => {
    const [script] = new Page('docs/argocd.md').blocks('lua');
    const kinds = new Set(policies.map(({ kind }) => kind));
    const keys = [...kinds].map((kind) => [`resource.customizations.health.keepalive.dev_${kind}`, script]);
    const metadata = { name: 'argocd-cm' };
    const data = Object.fromEntries(keys) as object;
    writeFileSync(told, stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data }));
  });

  test.each(policies)('it judges the $kind $name by that', async ({ path, ...which }) => {
    expect(await overrides('health', [path], told)).toContain(`STATUS: ${coveredHealthOf(which)}\n`);
  });
});

const reports = healthCases.filter(({ kind }) => kind === 'NodeKeepalive');

test.each(reports)('on a NodeKeepalive it offers nothing where it is $name', async ({ path }) => {
  const said = await overrides('list-actions', [path]);
  expect(said).toBe("Actions are not configured for 'keepalive.dev/NodeKeepalive'\n");
});

describe.each(actionCases)('on a $kind', ({ discovery, runs }) => {
  test.each(discovery)('it offers $names where it is $name', async ({ path, names }) => {
    const listed = (await overrides('list-actions', [path])).trim().split('\n').slice(1);
    expect(listed.map((line) => line.split(/\s+/))).toEqual(names.map((name) => [name, 'false']));
  });

  test.each(runs)('$action changes its mode and nothing else', async ({ action, from }) => {
    const said = await overrides('run-action', [from, action]);
    const changed = said.split('\n').filter((line) => /^[+-]\s/.test(line));
    const [before, after] = action === 'audit' ? ['Enforce', 'Audit'] : ['Audit', 'Enforce'];
    expect(changed).toEqual([`-  mode: ${before}`, `+  mode: ${after}`]);
  });
});
