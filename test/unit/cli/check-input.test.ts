import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from '@jest/globals';

import { keepalive } from '../../support/command-line.ts';
import { Folder } from './folder.ts';
import { deployment, policy, yaml } from './manifests.ts';

const bad = policy({ mode: 'Dry' });
const without = (object: object, ...fields: string[]) =>
  Object.fromEntries(Object.entries(object).filter(([field]) => !fields.includes(field)));

async function checked(text: string) {
  const { code, stdout } = await keepalive(['check', '-f', '-'], { stdin: text });
  return { code, lines: stdout.trimEnd().split('\n') };
}

describe('keepalive check takes for a manifest', () => {
  test.each<[string, object, string]>([
    [
      'what a list of one kind has, without a kind of its own',
      {
        apiVersion: 'keepalive.dev/v1alpha1',
        kind: 'KeepalivePolicyList',
        items: [without(bad, 'kind', 'apiVersion')],
      },
      'KeepalivePolicy db/behind-the-nat: spec.mode: Unsupported value: "Dry"',
    ],
    [
      'a list in a list',
      {
        apiVersion: 'v1',
        kind: 'List',
        items: [
          {
            apiVersion: 'keepalive.dev/v1alpha1',
            kind: 'KeepalivePolicyList',
            items: [without(bad, 'kind', 'apiVersion')],
          },
        ],
      },
      'KeepalivePolicy db/behind-the-nat: spec.mode: Unsupported value: "Dry"',
    ],
    [
      'what has our version and no kind',
      without(policy(), 'kind'),
      "object db/behind-the-nat: Object 'Kind' is missing: write kind: KeepalivePolicy or kind: ClusterKeepalivePolicy",
    ],
    [
      'what has our kind and no version',
      without(policy(), 'apiVersion'),
      'no matches for kind "KeepalivePolicy" in version "": this version knows KeepalivePolicy and ClusterKeepalivePolicy in version keepalive.dev/v1alpha1',
    ],
    [
      'what is ours in a list without a kind',
      { apiVersion: 'v1', kind: 'List', items: [without(policy(), 'kind')] },
      "Object 'Kind' is missing",
    ],
    ...['v1alpha1', 'keepalive.io/v1alpha1', 'keepalive.dev/v1'].map(
      (apiVersion): [string, object, string] => [
        `what has our kind in ${apiVersion}`,
        { ...policy(), apiVersion },
        `<stdin>:1:1: error: KeepalivePolicy db/behind-the-nat: no matches for kind "KeepalivePolicy" in version "${apiVersion}"`,
      ],
    ),
  ])('%s', async (_sentence, object, words) => {
    const { code, lines } = await checked(yaml(object));
    expect(code).toBe(1);
    expect(lines[0]).toContain(words);
    expect(await checked(JSON.stringify(object))).toMatchObject({ code: 1 });
  });

  test('templates in a list of one kind, and not what is of no kind at all', async () => {
    const items = [without(deployment(), 'kind', 'apiVersion')];
    const list = { apiVersion: 'apps/v1', kind: 'DeploymentList', items };
    const values = { replicas: 1, metadata: { name: 'a' } };
    const { lines } = await checked(yaml(policy({ podSelector: {} }), list, values));
    expect(lines).toEqual(['nothing to remark: 1 valid policy and 1 pod template in 1 file']);
  });

  test('what is one JSON after the other, and render edits it in its place', async () => {
    const text = [policy(), deployment()].map((one) => `${JSON.stringify(one)}\n`).join('');
    expect(await checked(text)).toMatchObject({ code: 0 });
    expect((await checked(`${text}${JSON.stringify(bad)}\n`)).lines[0]).toMatch(
      /^<stdin>:3:\d+: error: .*"Dry"/,
    );
    const { code, stdout } = await keepalive(['render'], { stdin: text });
    expect(code).toBe(0);
    expect(stdout.split('\n').map((line) => line.includes('"30"'))).toEqual([false, true, false]);
  });

  test.each(['&kind ', '!!str ', '&kind !!str '])('a kind behind %s', async (mark) => {
    using folder = new Folder({ 'app.yaml': yaml(deployment()).replace('kind: ', `kind: ${mark}`) });
    const { stdout } = await keepalive(['check'], { cwd: folder.path });
    expect(stdout).toBe('nothing to remark: 0 valid policies and 1 pod template in 1 file\n');
  });
});

describe('keepalive check follows links in a folder', () => {
  test('to files, and not to folders, as kubectl does', async () => {
    using folder = new Folder({ 'elsewhere/..data/bad.yaml': yaml(bad), 'far/bad.yaml': yaml(bad) });
    mkdirSync(join(folder.path, 'here'));
    symlinkSync('../elsewhere/..data/bad.yaml', join(folder.path, 'here/policy.yaml'));
    symlinkSync('../far', join(folder.path, 'here/far.yaml'));
    symlinkSync('../elsewhere/..data/bad.yaml', join(folder.path, 'here/policy.txt'));
    // As an editor keeps a lock.
    symlinkSync('somebody@somewhere.1', join(folder.path, 'here/.#policy.yaml'));
    const { code, stdout } = await keepalive(['check', '-f', 'here'], { cwd: folder.path });
    expect(code).toBe(1);
    expect(stdout).toMatch(/^here\/policy\.yaml:\d+:3: error: .*"Dry"/);
    expect(stdout).toContain('in 1 file\n');
  });

  test('once, whichever names a file has', async () => {
    using folder = new Folder({ 'policy.yaml': yaml(policy()) });
    symlinkSync('policy.yaml', join(folder.path, 'same.yaml'));
    const { stdout } = await keepalive(['check'], { cwd: folder.path });
    expect(stdout).toBe('nothing to remark: 1 valid policy and 0 pod templates in 1 file\n');
  });

  test('by the name that is no link, which a patch goes through', async () => {
    using folder = new Folder({ 'policy.yaml': yaml(bad) });
    symlinkSync('policy.yaml', join(folder.path, 'a.yaml'));
    const { stdout } = await keepalive(['check'], { cwd: folder.path });
    expect(stdout).toMatch(/^policy\.yaml:/);
  });

  test('and says of one that leads nowhere that it cannot be read', async () => {
    using folder = new Folder({ 'fine.yaml': yaml(policy()) });
    symlinkSync('gone.yaml', join(folder.path, 'lost.yaml'));
    const { code, stderr } = await keepalive(['check'], { cwd: folder.path });
    expect(code).toBe(2);
    expect(stderr).toContain('lost.yaml: it cannot be read (ENOENT)');
  });
});

describe('keepalive fails where nothing is piped into it', () => {
  test.each(['', '\n', '# Source: chart/templates/a.yaml\n\n'])('%j', async (stdin) => {
    for (const argv of [['check', '-f', '-'], ['render'], ['render', '-f', '-', '-p', '-']])
      expect(await keepalive(argv, { stdin })).toEqual({
        code: 2,
        stdout: '',
        stderr: 'error: nothing came in on standard input: did the command before it fail?\n',
      });
  });

  test('and not where it is a list of nothing', async () => {
    for (const kind of ['ResourceList', 'List']) {
      const stdin = yaml({ apiVersion: 'config.kubernetes.io/v1', kind, items: [] });
      expect(await keepalive(['render'], { stdin })).toEqual({ code: 0, stdout: stdin, stderr: '' });
    }
  });
});
