import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';

import { parseYaml, plainOf } from '../../../src/cli/yaml-text.ts';
import { keepalive } from '../../support/command-line.ts';
import { behind90, rendered } from './rendered.ts';

const head = 'apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: db}\n';

describe('sysctls beside a merge key are read by every parser', () => {
  test.each<[string, string]>([
    [
      'in its security context',
      'x: &a {runAsUser: 1}\nspec:\n  securityContext:\n    <<: *a\n    fsGroup: 1\n',
    ],
    ['in its spec', 'x: &a {containers: []}\nspec:\n  <<: *a # all of it\n  # a field\n  hostname: a\n'],
    ['at the end of the text', 'x: &a {containers: []}\nspec:\n  hostname: a\n  <<: *a'],
    ['in a flow', 'x: &a {runAsUser: 1}\nspec: {securityContext: {fsGroup: 1, <<: *a}}\n'],
    ['in a flow with more', 'x: &a {runAsUser: 1}\nspec: { <<: *a, hostname: a }\n'],
    ['of a list', 'x: &a {runAsUser: 1}\nspec:\n  <<: [*a, {hostname: a}]\n  containers: []\n'],
    ['of a block', 'spec:\n  <<:\n    hostname: a\n    containers: []\n  # next\n  restartPolicy: Never\n'],
    ['of several', 'spec:\n  <<: {hostname: a}\n  containers: []\n  <<: {subdomain: b}\n'],
    ['below its own', 'spec:\n  <<: {securityContext: {fsGroup: 1}}\n  securityContext: {runAsUser: 1}\n'],
  ])('%s', async (_sentence, body) => {
    const after = await rendered(head + body);
    const sysctls = ['time', 'intvl', 'probes'].map((one) => ({
      name: `net.ipv4.tcp_keepalive_${one}`,
      value: { time: '30', intvl: '10', probes: '6' }[one],
    }));
    const [document] = parseYaml(after).documents;
    const asKubectl = document && plainOf(document).object;
    const asYaml = parse(after, { version: '1.1', uniqueKeys: false }) as unknown;
    for (const object of [asKubectl, asYaml])
      expect(object).toMatchObject({ spec: { securityContext: { sysctls } } });
    for (const line of body
      .trimEnd()
      .split('\n')
      .filter((one) => !one.includes('{')))
      expect(after.split('\n')).toContain(line);
    expect(after.indexOf('tcp_keepalive')).toBeGreaterThan(after.lastIndexOf('<<'));
    expect(await rendered(after)).toBe(after);
  });
});

test('a policy selects by the labels that kubectl reads, below a merge key', async () => {
  const labels = 'labels: {app: mongo, <<: {app: web}}';
  const pod = head.replace('namespace: db', `namespace: db, ${labels}`) + 'spec: {containers: []}\n';
  const selecting = (app: string) =>
    behind90.replace('podSelector: {}', `podSelector: {matchLabels: {app: ${app}}}`);
  for (const [app, count] of [
    ['web', 3],
    ['mongo', 0],
  ] as const) {
    const { stdout } = await keepalive(['render'], { stdin: `${selecting(app)}---\n${pod}` });
    expect(stdout.match(/tcp_keepalive/g) ?? []).toHaveLength(count);
  }
});

test.each<[string, string, string]>([
  [
    'one of a merge key that is null',
    `${behind90}---\n${head}spec:\n  <<: {securityContext: null}\n`,
    'securityContext comes from a merge key (<<): write it out',
  ],
  [
    'one above a merge key that has one too',
    `${behind90}---\n${head}spec:\n  securityContext: {}\n  <<: {<<: {securityContext: {}}}\n`,
    'securityContext comes from a merge key (<<): write it out',
  ],
  [
    'sysctls of a merge key',
    `${behind90}---\n${head}spec:\n  securityContext:\n    <<: [{}, {sysctls: []}]\n`,
    'sysctls comes from a merge key (<<): write it out, below that key',
  ],
])('nothing is rendered for %s, and what to do is said', async (_sentence, stdin, words) => {
  const { code, stdout, stderr } = await keepalive(['render'], { stdin });
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toContain(words);
});
