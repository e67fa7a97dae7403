import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { argoCdTests } from '../cluster/argocd-tests.ts';
import { run } from '../cluster/command.ts';
import { repository } from '../cluster/place.ts';
import { provide } from '../cluster/prepare.ts';
import { actionCases, healthCases } from '../support/argocd-cases.ts';

/** No cluster: what Argo CD's repository asks of whoever brings scripts for a kind is asked of ours. */
const tests = argoCdTests();
/** A thousand packages are compiled the first time. */
const buildMs = 7_200_000;
const scripts = join(repository, 'deploy/argocd');
const folder = mkdtempSync(join(tmpdir(), 'keepalive-argocd-'));
/** Its tests look for the scripts from where they are themselves. */
const [customizations, cwd] = [join(folder, 'resource_customizations'), join(folder, 'util/lua')];

beforeAll(() => provide({ parts: [tests] }, undefined), buildMs);
beforeAll(() => {
  mkdirSync(cwd, { recursive: true });
  restore();
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function restore(): void {
  rmSync(customizations, { recursive: true, force: true });
  cpSync(join(scripts, 'keepalive.dev'), join(customizations, 'keepalive.dev'), { recursive: true });
}

async function upstream(name: 'TestLuaHealthScript' | 'TestLuaResourceActionsScript') {
  const { code, stdout } = await run([tests.program, '-test.v', `-test.run=^${name}$`], { cwd });
  const ended = (how: string) =>
    // Of two kinds the same file has the same name, and Go numbers the second.
    [...stdout.matchAll(new RegExp(`^ +--- ${how}: ${name}/(\\S+?)(?:#\\d+)? \\(`, 'gm'))].map(
      ([, path]) => path,
    );
  return { code, passed: ended('PASS').sort(), failed: ended('FAIL') };
}

const below = ({ path }: { readonly path: string }) => relative(scripts, path);

describe("Argo CD's own test", () => {
  test('of health scripts finds all of ours, and each says what it is to say', async () => {
    expect(await upstream('TestLuaHealthScript')).toEqual({
      ...{ code: 0, failed: [] },
      passed: healthCases.map(below).sort(),
    });
  });

  test('of actions finds all of ours, where they are offered and what they change', async () => {
    const expected = actionCases.flatMap(({ discovery, runs }) => [
      ...discovery.map(({ name }) => `discovery/testdata/${name}.yaml`),
      ...runs.map(({ action, from }) => `actions/${action}/testdata/${from.replace(/.*\//, '')}`),
    ]);
    expect(await upstream('TestLuaResourceActionsScript')).toEqual({
      ...{ code: 0, failed: [] },
      passed: expected.sort(),
    });
  });

  test.each([
    {
      what: 'a health',
      file: 'health_test.yaml',
      of: 'TestLuaHealthScript',
      right: 'status: Suspended',
      other: 'status: Healthy',
      object: 'keepalive.dev/KeepalivePolicy/testdata/suspended-audit.yaml',
    },
    {
      what: 'what is offered',
      file: 'actions/action_test.yaml',
      of: 'TestLuaResourceActionsScript',
      right: 'fa-pause',
      other: 'fa-play',
      object: 'discovery/testdata/enforced.yaml',
    },
    {
      what: 'a change',
      file: 'actions/testdata/enforced_audit.yaml',
      of: 'TestLuaResourceActionsScript',
      right: 'mode: Audit',
      other: 'mode: Enforce',
      object: 'actions/audit/testdata/enforced.yaml',
    },
  ] as const)('fails where $what is another than is told', async ({ file, of, right, other, object }) => {
    const path = join(customizations, 'keepalive.dev/KeepalivePolicy', file);
    const text = readFileSync(path, 'utf8');
    expect(text).toContain(right);
    writeFileSync(path, text.replace(right, other));
    try {
      expect(await upstream(of)).toMatchObject({ code: 1, failed: [object] });
    } finally {
      restore();
    }
  });
});
