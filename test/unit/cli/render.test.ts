import { describe, expect, test } from '@jest/globals';
import { parseAllDocuments } from 'yaml';

import { sysctls } from '../../support/builder.ts';
import { keepalive } from '../../support/command-line.ts';
import { Folder } from './folder.ts';
import { cluster, policy, yaml } from './manifests.ts';
import { behind90, rendered } from './rendered.ts';

const pod = (spec: string) => `apiVersion: v1\nkind: Pod\nmetadata:\n  name: mongo\nspec:\n${spec}`;
const three = (margin: string, dash = '- ') =>
  [
    ['time', 30],
    ['intvl', 10],
    ['probes', 6],
  ]
    .map(
      ([name, value]) =>
        `${margin}${dash}name: net.ipv4.tcp_keepalive_${name}\n${margin}  value: "${value}"\n`,
    )
    .join('');
const flow = [
  '{ name: net.ipv4.tcp_keepalive_time, value: "30" }',
  '{ name: net.ipv4.tcp_keepalive_intvl, value: "10" }',
  '{ name: net.ipv4.tcp_keepalive_probes, value: "6" }',
].join(', ');

describe('keepalive render changes only the bytes that must change', () => {
  test.each<[string, string, string]>([
    [
      'before a comment that belongs to what comes after',
      pod('  # the database\n  containers:\n  - name: mongo   # here\n'),
      pod(
        `  securityContext:\n    sysctls:\n${three('    ')}  # the database\n  containers:\n  - name: mongo   # here\n`,
      ),
    ],
    [
      'with the dashes and steps that the file has',
      pod('    containers:\n      - name: mongo\n'),
      pod(
        `    securityContext:\n        sysctls:\n${three('          ')}    containers:\n      - name: mongo\n`,
      ),
    ],
    [
      'beside what a security context has',
      pod('  securityContext: # of the pod\n    runAsUser: 1000\n'),
      pod(`  securityContext: # of the pod\n    sysctls:\n${three('    ')}    runAsUser: 1000\n`),
    ],
    [
      'values where they stand, in their quotes, and the rest at the end of the list',
      pod(
        "  securityContext:\n    sysctls:\n      - {name: net.ipv4.tcp_keepalive_intvl, value: '75'} # mine\n      # the end\n  containers: []\n",
      ),
      pod(
        `  securityContext:\n    sysctls:\n      - {name: net.ipv4.tcp_keepalive_intvl, value: '10'} # mine\n` +
          '      - name: net.ipv4.tcp_keepalive_time\n        value: "30"\n      - name: net.ipv4.tcp_keepalive_probes\n        value: "6"\n' +
          '      # the end\n  containers: []\n',
      ),
    ],
    [
      'in a flow',
      pod('  {containers: []}\n'),
      pod(`  {securityContext: { sysctls: [${flow}] }, containers: []}\n`),
    ],
    ['in an empty flow', pod('  securityContext: {}\n'), pod(`  securityContext: {sysctls: [${flow}]}\n`)],
    [
      'in an empty list',
      pod('  securityContext: {sysctls: []}\n'),
      pod(`  securityContext: {sysctls: [${flow}]}\n`),
    ],
    [
      'in place of nothing',
      pod('  securityContext:\n  containers: []\n'),
      pod(`  securityContext:\n    sysctls:\n${three('    ')}  containers: []\n`).replace('\n\n', '\n'),
    ],
    [
      'in place of null, and of a list that is none',
      pod('  securityContext:\n    sysctls: ~\n  containers: []\n'),
      pod(`  securityContext:\n    sysctls:\n${three('    ')}  containers: []\n`),
    ],
    [
      'without a line at the end',
      pod('  securityContext:\n    sysctls:\n    - name: net.ipv4.tcp_keepalive_time\n      value: "7200"'),
      pod(
        '  securityContext:\n    sysctls:\n    - name: net.ipv4.tcp_keepalive_time\n      value: "30"\n    - name: net.ipv4.tcp_keepalive_intvl\n      value: "10"\n    - name: net.ipv4.tcp_keepalive_probes\n      value: "6"',
      ),
    ],
    [
      'nothing of what is enough',
      pod(
        '  securityContext: {sysctls: [{name: net.ipv4.tcp_keepalive_time, value: "20"}, {name: net.ipv4.tcp_keepalive_intvl, value: "20"}]}\n',
      ),
      pod(
        '  securityContext: {sysctls: [{name: net.ipv4.tcp_keepalive_time, value: "20"}, {name: net.ipv4.tcp_keepalive_intvl, value: "20"}]}\n',
      ),
    ],
    [
      'nothing of what has no pods',
      'apiVersion: v1\nkind: Service\nmetadata: {name: a}\n',
      'apiVersion: v1\nkind: Service\nmetadata: {name: a}\n',
    ],
  ])('%s', async (_sentence, before, after) => {
    const text = await rendered(before);
    expect(text.replaceAll(/ +\n/g, '\n')).toBe(after);
    expect(await rendered(text)).toBe(text);
    const windows = before.replaceAll('\n', '\r\n');
    expect(await rendered(windows)).toBe(text.replaceAll('\n', '\r\n'));
  });

  test('in JSON', async () => {
    const object = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'a' },
      spec: { containers: [] as unknown[] },
    };
    const before = JSON.stringify(object, undefined, 2);
    const after = await rendered(before);
    expect(JSON.parse(after)).toEqual({
      ...object,
      spec: { ...object.spec, securityContext: { sysctls: sysctls() } },
    });
    expect(after.replace(/"securityContext".*\n {4}/, '')).toBe(before);
    expect(await rendered(after)).toBe(after);
  });
});

describe('keepalive render knows the templates', () => {
  const metadata = { labels: { app: 'mongo' } };
  const template = { metadata, spec: { containers: [] } };
  test.each<[string, string, object, string[]]>([
    ['Deployment', 'apps/v1', { template }, []],
    ['StatefulSet', 'apps/v1', { template }, []],
    ['DaemonSet', 'apps/v1', { template }, []],
    ['ReplicaSet', 'apps/v1', { template }, []],
    ['ReplicationController', 'v1', { template }, []],
    ['Job', 'batch/v1', { template }, []],
    ['CronJob', 'batch/v1', { jobTemplate: { spec: { template } } }, []],
    ['Rollout', 'argoproj.io/v1alpha1', { template }, ['--template', 'Rollout.argoproj.io=spec.template']],
    [
      'PyTorchJob',
      'kubeflow.org/v1',
      { pytorchReplicaSpecs: { Master: { template }, Worker: { template } } },
      ['--template', 'PyTorchJob.kubeflow.org=spec.pytorchReplicaSpecs.*.template'],
    ],
    [
      'RayCluster',
      'ray.io/v1',
      { headGroupSpec: { template }, workerGroupSpecs: [{ template }, { template }] },
      ['headGroupSpec', 'workerGroupSpecs.*', '*'].flatMap((at) => [
        '--template',
        `RayCluster.ray.io=spec.${at}.template`,
      ]),
    ],
  ])('of a %s', async (kind, apiVersion, spec, argv) => {
    const text = await rendered(
      yaml({ apiVersion, kind, metadata: { name: 'mongo', namespace: 'db' }, spec }),
      ...argv,
    );
    const wanted = JSON.stringify(spec).split('"containers":[]').length - 1;
    expect(text.match(/tcp_keepalive_time\n *value: "30"/g)).toHaveLength(wanted);
  });

  test('of no kind of the same name in another group', async () => {
    const text = yaml({
      apiVersion: 'example.com/v1',
      kind: 'Deployment',
      metadata: { name: 'a' },
      spec: { template },
    });
    expect(await rendered(text)).toBe(text);
  });
});

describe('keepalive render', () => {
  const app = pod('  containers: []\n').replace('name: mongo', 'name: mongo\n  namespace: db');

  test('shows a difference, writes it, and then has none', async () => {
    using folder = new Folder({
      'app.yaml': app,
      'sub/policies.yaml': behind90,
      'sub/other.json': '{"a": 1}',
    });
    const shown = await keepalive(['render', '--diff'], { cwd: folder.path });
    expect(shown.code).toBe(1);
    expect(shown.stdout).toContain('--- a/app.yaml\n+++ b/app.yaml\n');
    expect(shown.stdout.split('\n').filter((line) => /^[+-] /.test(line))).toHaveLength(8);
    expect(folder.read('app.yaml')).toBe(app);
    expect((await keepalive(['render', '--write'], { cwd: folder.path })).stderr).toBe('changed app.yaml\n');
    expect(folder.read('app.yaml')).toContain('value: "30"');
    expect(await keepalive(['render', '--diff'], { cwd: folder.path })).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    });
    expect((await keepalive(['render', '--write'], { cwd: folder.path })).stderr).toBe('nothing to change\n');
  });

  test('makes one stream of what is piped in, or of several files', async () => {
    const piped = await keepalive(['render', '-n', 'db'], { stdin: `${behind90}---\n${app}` });
    expect(parseAllDocuments(piped.stdout)).toHaveLength(2);
    expect(piped.stdout).toContain('value: "30"');
    using folder = new Folder({ 'a.yaml': behind90, 'b.yaml': app, 'package.json': '{"name": "x"}' });
    const several = await keepalive(['render', '-f', '.'], { cwd: folder.path });
    expect(several.stdout).toBe(piped.stdout);
  });

  test('says which pods it leaves as they are, and why', async () => {
    const host = app.replace('  containers', '  hostNetwork: true\n  containers');
    const { code, stdout, stderr } = await keepalive(['render'], { stdin: `${behind90}---\n${host}` });
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${behind90}---\n${host}` });
    expect(stderr).toContain("it uses its node's own network");
  });

  const namespaces = (...matchExpressions: object[]) =>
    yaml(cluster({ namespaceSelector: { matchExpressions } }));
  const tiers = { key: 'tier', operator: 'NotIn', values: ['system'] };
  const named = { key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: ['kube-system'] };

  test.each<[string, object[]]>([
    ['asks that they are not of some', [tiers]],
    ['asks that there is none', [{ key: 'tier', operator: 'DoesNotExist' }]],
    ['excludes others by name as well', [named, tiers]],
  ])(
    'leaves a template alone where labels of its namespace decide, and a selector %s',
    async (_sentence, asks) => {
      const stdin = `${namespaces(...asks)}---\n${app}`;
      const { code, stdout, stderr } = await keepalive(['render'], { stdin });
      expect({ code, stdout }).toEqual({ code: 0, stdout: stdin });
      expect(stderr).toContain(
        'whether it selects db cannot be told: add the Namespace with its labels to the input',
      );
      const labels = `apiVersion: v1\nkind: Namespace\nmetadata: { name: db }\n---\n`;
      expect((await keepalive(['render'], { stdin: `${labels}${stdin}` })).stdout).toContain('value: "116"');
    },
  );

  test('renders where a selector asks for no label but the name of the namespace', async () => {
    const { stdout, stderr } = await keepalive(['render'], { stdin: `${namespaces(named)}---\n${app}` });
    expect(stderr).toBe('');
    expect(stdout).toContain('value: "116"');
  });

  test('takes nothing back that a template says admission once gave it: it is the template of its user', async () => {
    const copied = `apiVersion: v1
kind: Pod
metadata:
  name: a
  namespace: db
  labels: { keepalive.dev/skip: "true" }
  annotations: { keepalive.dev/requirement: 90/30/10/-, keepalive.dev/own-values: -/-/- }
spec:
  securityContext:
    sysctls:
${three('      ')}`;
    const { stdout } = await keepalive(['render'], { stdin: `${behind90}---\n${copied}` });
    expect(stdout).toBe(`${behind90}---\n${copied}`);
  });

  test.each<[string, string, string]>([
    [
      'a policy that the API server would refuse',
      yaml(policy({ mode: 'Dry' })),
      'spec.mode: Unsupported value: "Dry"',
    ],
    [
      'a security context that is an alias',
      `${behind90}---\n${app.replace('containers: []', 'x: &a {}\n  securityContext: *a')}`,
      'its securityContext is an alias (*a): write it out',
    ],
    [
      'one that others share',
      `${behind90}---\n${app.replace('containers: []', 'securityContext: &a {}\n  x: *a')}`,
      'it shares text with something else (an anchor)',
    ],
    [
      'one that others share in a flow without spaces',
      `${behind90}---\n${app.replace('  containers: []', '  {"securityContext":&a {},"x":*a}')}`,
      'write its securityContext out, with the sysctls net.ipv4.tcp_keepalive_time=30, net.ipv4.tcp_keepalive_intvl=10',
    ],
    [
      'one of a merge key',
      `${behind90}---\n${app.replace('  containers: []', '  <<: {securityContext: {}}')}`,
      'securityContext comes from a merge key (<<): write it out',
    ],
  ])('renders nothing for %s, and says what to do', async (_sentence, stdin, words) => {
    const { code, stdout, stderr } = await keepalive(['render', '-n', 'db'], { stdin });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(words);
  });

  test('names the one of a file that cannot be rendered, and not its neighbours', async () => {
    const shared = app
      .replaceAll('mongo', 'shared')
      .replace('  containers: []', '  {"securityContext":&a {},"x":*a}');
    const stdin = [behind90, app, shared].join('---\n');
    const { code, stderr } = await keepalive(['render'], { stdin });
    expect(code).toBe(1);
    expect(stderr.split('\n').filter((line) => line.startsWith('  '))).toEqual([
      expect.stringContaining('<stdin>: Pod shared: '),
    ]);
  });

  test.each<[string, string[], string]>([
    ['both ways at once', ['--diff', '--write'], 'take one of them'],
    ['standard input to write to', ['--write', '-f', '-'], '--write changes files: standard input is none'],
    ['a file that is not there', ['-f', 'nowhere'], 'nowhere: there is no such file or folder'],
  ])('refuses %s', async (_sentence, argv, words) => {
    const { code, stderr } = await keepalive(['render', ...argv]);
    expect(code).toBe(2);
    expect(stderr).toContain(words);
  });
});
