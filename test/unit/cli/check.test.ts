import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from '@jest/globals';
import { keepalive } from '../../support/command-line.ts';
import { Folder } from './folder.ts';
import { cluster, declaring, deployment, nat, pinned, policy, time, yaml } from './manifests.ts';
import { remarked } from './remarked.ts';

const root = join(import.meta.dirname, '../../..');
describe('keepalive check', () => {
  test.each<[string, object[], string[]]>([
    ['a policy and what it selects', [policy(), deployment()], []],
    ['a policy alone: there is nothing it could select', [policy()], []],
    [
      'a hop without a number',
      [policy({ path: [{ name: 'a', type: 'NAT' }] })],
      [
        'refused: spec.path[0]: Invalid value: a hop declares exactly one of preset and idleTimeoutSeconds. Where yours differs',
      ],
    ],
    [
      'a number with a unit',
      [policy({ path: [{ ...nat, idleTimeoutSeconds: '350s' }] })],
      [
        'refused: spec.path[0].idleTimeoutSeconds: Invalid value: "350s": idleTimeoutSeconds is a whole number of seconds without a unit',
      ],
    ],
    [
      'values that are not enough, with values that would be',
      [policy({ keepalive: { timeSeconds: 85 } })],
      [
        'refused: spec: Invalid value: keepalive leaves no room for two probes before office-nat forgets at 90 s',
      ],
    ],
    ['a field that no schema has', [policy({ hops: [] })], ['unknown-field: unknown field "spec.hops"']],
    [
      'labels spelled wrong',
      [policy({}, { lables: { app: 'mongo' } })],
      ['unknown-field: unknown field "metadata.lables"'],
    ],
    [
      'a label without quotes',
      [policy({}, { labels: { version: 4 } })],
      [
        'refused: json: cannot unmarshal number into Go struct field ObjectMeta.labels of type string: write it in quotes',
      ],
    ],
    [
      'a namespace that can be none',
      [policy({}, { namespace: 'DB_x' })],
      ['refused: metadata.namespace: Invalid value: "DB_x": a lowercase RFC 1123 label must consist of'],
    ],
    [
      'two policies whose names are generated',
      [
        policy({}, { name: undefined, generateName: 'a-' }),
        policy({}, { name: undefined, generateName: 'a-' }),
      ],
      [],
    ],
    [
      'a version that is not known',
      [{ ...policy(), apiVersion: 'keepalive.dev/v1' }],
      ['refused: no matches for kind "KeepalivePolicy" in version "keepalive.dev/v1"'],
    ],
    [
      'what agents write',
      [{ apiVersion: 'keepalive.dev/v1alpha1', kind: 'NodeKeepalive', metadata: { name: 'n1' } }],
      ['odd-value: agents write these'],
    ],
    [
      'less than the settings of a cluster allow as they are installed',
      [policy({ path: [{ ...nat, idleTimeoutSeconds: 9 }] })],
      [
        'beyond-limits: spec.path declares office-nat (9 s); a KeepalivePolicy of this cluster may declare no idle timeout below 10 s',
        'odd-value: office-nat forgets after 9 s: are these minutes?',
      ],
    ],
    ['the same policy twice', [policy(), policy()], ['duplicate-policy: it is in <stdin> too']],
    [
      'labels that no template has',
      [policy({ podSelector: { matchLabels: { app: 'mongod' } } }), deployment()],
      [
        'selects-nothing: nothing is selected: none of the 1 pod templates in namespace db is: they have {app: mongo}',
      ],
    ],
    [
      'templates of another namespace',
      [policy(), deployment({}, 'shop')],
      ['selects-nothing: nothing is selected: no pod template of the input is in namespace db'],
    ],
    [
      'a namespace whose labels are elsewhere',
      [cluster({ namespaceSelector: { matchLabels: { stage: 'prod' } } }), deployment()],
      ['unknown-namespace: whether it selects db cannot be told'],
    ],
    [
      'a namespace whose labels are elsewhere, of which a selector asks that it has none',
      [
        cluster({ namespaceSelector: { matchExpressions: [{ key: 'tier', operator: 'DoesNotExist' }] } }),
        deployment(),
      ],
      ['unknown-namespace: whether it selects db cannot be told'],
    ],
    [
      'a namespace that a selector excludes by its name, whatever its labels are',
      [
        cluster({
          namespaceSelector: { matchLabels: { stage: 'prod', 'kubernetes.io/metadata.name': 'shop' } },
        }),
        deployment(),
      ],
      ['selects-nothing: nothing is selected'],
    ],
    [
      'a looser policy over the same pods, and the stricter that binds',
      [cluster({ podSelector: { matchLabels: { app: 'mongo' } } }), policy(), deployment()],
      [
        'overlap: KeepalivePolicy db/behind-the-nat selects Deployment db/mongo too, and binds there with 30/10/6',
      ],
    ],
    [
      'a stricter policy that only audits',
      [cluster({ podSelector: { matchLabels: { app: 'mongo' } } }), policy({ mode: 'Audit' }), deployment()],
      [
        'overlap: KeepalivePolicy db/behind-the-nat selects Deployment db/mongo too, and would bind, were it not in Audit',
      ],
    ],
    [
      'a proxy beside a hop that follows packets',
      [policy({ path: [nat, { preset: 'envoy-tcp' }] })],
      ['proxy: envoy-tcp is a proxy: it counts data'],
    ],
    [
      'values that give up early',
      [policy({ keepalive: { intervalSeconds: 5, probes: 2 } })],
      ['gives-up-early: with the declared values a connection is given up after 2 lost probes'],
    ],
    [
      'minutes',
      [policy({ path: [{ ...nat, idleTimeoutSeconds: 20 }] })],
      ['odd-value: office-nat forgets after 20 s: are these minutes? Then declare 1200'],
    ],
    [
      'pods of the node’s network',
      [policy(), deployment({ hostNetwork: true })],
      [
        "left-alone: KeepalivePolicy db/behind-the-nat selects its pods, which are left as they are: it uses its node's own network",
      ],
    ],
    [
      'sysctls beside hostNetwork',
      [deployment({ hostNetwork: true, ...declaring(time) })],
      ["pod-refused: net.ipv4.tcp_keepalive_time may not be specified when 'hostNetwork' is true"],
    ],
    [
      'sysctls on Windows',
      [deployment({ os: { name: 'windows' }, ...declaring(time) })],
      ['pod-refused: sysctls cannot be set for a windows pod'],
    ],
    [
      'sysctls that Pod Security forbids',
      [pinned, deployment(declaring(time))],
      ['pod-refused: namespace db enforces Pod Security as of before v1.29'],
    ],
    [
      'the same sysctl twice',
      [deployment(declaring(time, time))],
      ['pod-refused: Duplicate value: net.ipv4.tcp_keepalive_time is set twice'],
    ],
    [
      'a number that is no text',
      [deployment(declaring({ ...time, value: 30 }))],
      ['pod-refused: the value of net.ipv4.tcp_keepalive_time is a text: write it in quotes, value: "30"'],
    ],
    [
      'a value with a unit',
      [deployment(declaring({ ...time, value: '30s' }))],
      ['pod-refused: net.ipv4.tcp_keepalive_time is no plain whole number ("30s")'],
    ],
    [
      'other sysctls',
      [deployment({ hostNetwork: true, ...declaring({ name: 'kernel.shm_rmid_forced', value: 'x' }) })],
      [],
    ],
  ])('%s', async (_sentence, objects, expected) => {
    const said = await remarked(yaml(...objects));
    expect(said).toHaveLength(expected.length);
    for (const [at, words] of expected.entries()) expect(said[at]?.slice(0, words.length)).toBe(words);
  });

  test('reads the objects of a List, and JSON', async () => {
    const list = { apiVersion: 'v1', kind: 'List', items: [policy({ hops: [] }), deployment()] };
    expect(await remarked(JSON.stringify(list, undefined, 2))).toEqual([
      'unknown-field: unknown field "spec.hops"',
    ]);
  });

  test('takes --namespace for what names none', async () => {
    const nameless = { ...deployment(), metadata: { name: 'mongo' } };
    const text = yaml(policy({}, { namespace: undefined }), nameless);
    expect((await keepalive(['check', '-f', '-', '-n', 'shop'], { stdin: text })).stdout).toContain(
      'nothing to remark',
    );
  });

  test('tells file, line and column, each file once, folders with all below them', async () => {
    const bad = `# the office\n${yaml(policy())}---\n${yaml(policy({ mode: 'Dry' }, { name: 'dry' }))}`;
    const line = bad.split('\n').indexOf('  mode: Dry') + 1;
    using folder = new Folder({
      'a/bad.yaml': bad,
      'a/node_modules/x.yaml': yaml(policy({ mode: 'Dry' })),
      'b.json': JSON.stringify(policy({}, { name: 'fine' })),
      'notes.md': 'kind: KeepalivePolicy',
    });
    const { code, stdout } = await keepalive(['check', '-f', '.', '-f', 'a/bad.yaml'], { cwd: folder.path });
    expect(code).toBe(1);
    const [first, ...others] = stdout.trimEnd().split('\n');
    expect(first).toBe(
      `a/bad.yaml:${line}:3: error: KeepalivePolicy db/dry: spec.mode: Unsupported value: "Dry": supported values: "Enforce", "Audit" [refused]`,
    );
    expect(others.at(-1)).toBe('2 errors: 2 valid policies and 0 pod templates in 2 files');
  });

  test('passes over templates in a folder, and stops at a text that is no YAML', async () => {
    using folder = new Folder({
      'chart/templates/policy.yaml': 'apiVersion: keepalive.dev/v1alpha1\n{{- if .Values.x }}\na: [\n',
      'good.yaml': yaml(policy()),
    });
    const found = await keepalive(['check'], { cwd: folder.path });
    expect(found.stdout).toContain('helm template . | keepalive check -f -');
    expect(found.code).toBe(0);
    const named = await keepalive(['check', '-f', 'chart/templates/policy.yaml'], { cwd: folder.path });
    expect(named.stdout).toContain('it cannot be read as YAML');
    expect(named.code).toBe(2);
  });
});

describe('the exit code of keepalive check', () => {
  test.each<[string, object[], string[], number]>([
    ['is 0 where nothing is to be said', [policy()], [], 0],
    ['is 0 for warnings', [policy({ path: [{ ...nat, idleTimeoutSeconds: 20 }] })], [], 0],
    [
      'is 1 for warnings that count',
      [policy({ path: [{ ...nat, idleTimeoutSeconds: 20 }] })],
      ['--strict'],
      1,
    ],
    ['is 0 for notes that never count', [policy({ path: [nat, { preset: 'envoy-tcp' }] })], ['--strict'], 0],
    ['is 1 for what is refused', [policy({ mode: 'Dry' })], [], 1],
  ])('%s', async (_sentence, objects, argv, code) => {
    expect((await keepalive(['check', '-f', '-', ...argv], { stdin: yaml(...objects) })).code).toBe(code);
  });

  test.each<[string, string[], string]>([
    ['a path that is empty', ['-f', ''], 'a path is empty: name a file or a folder, or . for this one'],
    ['a file that is not there', ['-f', 'nowhere.yaml'], 'nowhere.yaml: there is no such file or folder'],
    ['nothing on standard input', ['-f', '-'], 'pipe manifests into it'],
    [
      'a template without a path',
      ['--template', 'Rollout'],
      'write KIND.GROUP=FIELD.PATH, such as Rollout.argoproj.io=spec.template',
    ],
    ['a format that is none', ['-o', 'xml'], 'Allowed choices are text, json, sarif, github'],
    ['a file without -f', ['policies.yaml'], 'too many arguments'],
  ])('is 2 for %s', async (_sentence, argv, words) => {
    using folder = new Folder({});
    const { code, stderr } = await keepalive(['check', ...argv], { cwd: folder.path });
    expect([code, stderr]).toEqual([2, expect.stringContaining(words)]);
  });
});

test('every manifest that this repository ships is fine', async () => {
  expect(readdirSync(join(root, 'crds')).length).toBeGreaterThan(2);
  // What Argo CD's rules are tried with is one policy in many states.
  const deploy = readdirSync(join(root, 'deploy')).filter((name) => name !== 'argocd');
  const files = ['crds', ...deploy.map((name) => `deploy/${name}`)].flatMap((path) => ['-f', path]);
  const { code, stdout } = await keepalive(['check', ...files, '--strict'], { cwd: root });
  expect({ code, stdout }).toMatchObject({ code: 0 });
});
