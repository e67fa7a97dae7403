import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { keepalive } from '../../support/command-line.ts';
import { declaring, deployment, policy, time, yaml } from './manifests.ts';

const everyPod = policy({ podSelector: {} });
const term = (nodeSelectorTerms: unknown) => ({
  affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } },
});
const windows = { key: 'kubernetes.io/os', operator: 'In', values: 'windows' };
const labelled = (labels: unknown) => ({
  ...deployment(),
  spec: { template: { metadata: { labels }, spec: { containers: [] } } },
});

/** What is wrong, below spec.template, and what is said of it. */
const rows: [sentence: string, object: object, path: string, words: string][] = [
  [
    'sysctls as a map',
    deployment({ securityContext: { sysctls: { 'net.core.somaxconn': '1024' } } }),
    'spec.securityContext.sysctls',
    'is a map, and has to be a list',
  ],
  [
    'a sysctl that is empty',
    deployment({ securityContext: { sysctls: [null] } }),
    'spec.securityContext.sysctls[0]',
    'is empty, and has to be a map',
  ],
  [
    'a sysctl without a name',
    deployment({ securityContext: { sysctls: [{ value: '1' }] } }),
    'spec.securityContext.sysctls[0].name',
    'is missing',
  ],
  [
    'a sysctl whose name is a number',
    deployment(declaring({ name: 5, value: '1' })),
    'spec.securityContext.sysctls[0].name',
    'is a number, and has to be a text: write it in quotes',
  ],
  [
    'a sysctl whose value is a list',
    deployment(declaring({ ...time, value: ['30'] })),
    'spec.securityContext.sysctls[0].value',
    'is a list, and has to be a text',
  ],
  [
    'a security context as a text',
    deployment({ securityContext: 'none' }),
    'spec.securityContext',
    'is a text, and has to be a map',
  ],
  [
    'a node selector as a text',
    deployment({ nodeSelector: 'linux' }),
    'spec.nodeSelector',
    'is a text, and has to be a map',
  ],
  [
    'a truth in quotes',
    deployment({ hostNetwork: 'true' }),
    'spec.hostNetwork',
    'is a text, and has to be true or false, without quotes',
  ],
  [
    'an operating system as a text',
    deployment({ os: 'windows' }),
    'spec.os',
    'is a text, and has to be a map',
  ],
  [
    'tolerations as a map',
    deployment({ nodeName: 'n1', tolerations: {} }),
    'spec.tolerations',
    'is a map, and has to be a list',
  ],
  [
    'a toleration that is empty',
    deployment({ nodeName: 'n1', tolerations: [null] }),
    'spec.tolerations[0]',
    'is empty, and has to be a map',
  ],
  [
    'terms as a map',
    deployment(term({})),
    'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms',
    'is a map, and has to be a list',
  ],
  [
    'values of a requirement as a text',
    deployment(term([{ matchExpressions: [windows] }])),
    'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].values',
    'is a text, and has to be a list',
  ],
  [
    'a label without quotes',
    labelled({ app: 'mongo', version: 4 }),
    'metadata.labels.version',
    'is a number, and has to be a text: write it in quotes',
  ],
  ['labels as a list', labelled(['app']), 'metadata.labels', 'is a list, and has to be a map'],
  [
    'a spec that is none',
    { ...deployment(), spec: { template: { spec: 'none' } } },
    'spec',
    'is a text, and has to be a map',
  ],
];

describe('of a template that is no pod', () => {
  test.each(rows)(
    'check names the field, and says all else that is to be said: %s',
    async (_sentence, object, path, words) => {
      const other = {
        ...deployment(declaring({ ...time, value: 30 })),
        metadata: { name: 'other', namespace: 'db' },
      };
      const bad = policy({ mode: 'Dry' }, { name: 'bad' });
      const { code, stdout } = await keepalive(['check', '-f', '-', '-o', 'json'], {
        stdin: yaml(object, everyPod, other, bad),
      });
      expect(code).toBe(1);
      const said = JSON.parse(stdout) as { rule: string; object: string; message: string; line: number }[];
      expect(said.filter(({ object: about }) => about === 'Deployment db/mongo')).toMatchObject([
        { rule: 'malformed-pod', message: `its shape is not that of a pod: spec.template.${path} ${words}` },
      ]);
      expect(said[0]?.line).toBeGreaterThan(1);
      expect(said.map(({ rule }) => rule).slice(1)).toEqual(['pod-refused', 'refused', 'refused']);
    },
  );

  test.each(rows)('render changes nothing, and says why: %s', async (_sentence, object, path, words) => {
    const stdin = yaml(everyPod, object);
    const { code, stdout, stderr } = await keepalive(['render'], { stdin });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toBe(
      `error: not everything can be rendered:\n  <stdin>: Deployment mongo: its shape is not that of a pod: spec.template.${path} ${words}\n`,
    );
    const elsewhere = policy({ podSelector: {} }, { namespace: 'shop' });
    const left = await keepalive(['render'], { stdin: yaml(elsewhere, object) });
    expect(left.code).toBe(0);
    expect(left.stderr).toContain(`spec.template.${path} ${words}\n`);
  });

  test('what stands beside what does not fit is judged where it is', async () => {
    const object = deployment({ hostNetwork: true, ...declaring({}, time) });
    const { stdout } = await keepalive(['check', '-f', '-', '-o', 'json'], { stdin: JSON.stringify(object) });
    const said = JSON.parse(stdout) as { rule: string; column: number }[];
    expect(said.map(({ rule }) => rule)).toEqual(['malformed-pod', 'pod-refused']);
    expect(said[1]?.column).toBe(JSON.stringify(object).indexOf(JSON.stringify(time)) + 1);
  });

  test.each<[string, object]>([
    ['a patch without a spec', { ...deployment(), spec: { template: { metadata: { labels: { a: 'b' } } } } }],
    [
      'fields that are null',
      deployment({ nodeSelector: null, securityContext: { sysctls: null }, tolerations: null }),
    ],
    [
      'fields that no decision asks for',
      deployment({ containers: 'none', tolerations: [{ tolerationSeconds: 5 }] }),
    ],
  ])('nothing is said of %s', async (_sentence, object) => {
    const { stdout } = await keepalive(['check', '-f', '-'], { stdin: yaml(object) });
    expect(stdout).toMatch(/^nothing to remark: /);
  });

  test('what somebody wrote there moves no cursor', async () => {
    const evil = 'x\u001B[2J';
    const object = JSON.stringify(labelled({ [evil]: 4 }));
    for (const stdin of [[object], [object, JSON.stringify(everyPod)]].map((all) => all.join('\n---\n'))) {
      const { stderr } = await keepalive(['render'], { stdin });
      expect(stderr).toContain('metadata.labels.x [2J is a number');
    }
  });

  test('where a step of a template may be any field, most of them are none', async () => {
    const job = { apiVersion: 'example.com/v1', kind: 'Job', metadata: { name: 'a' } };
    const text = yaml({ ...job, spec: { replicas: 3, worker: { spec: { os: 'linux' } } } });
    const argv = ['check', '-f', '-', '--template', 'Job.example.com=spec.*'];
    const { stdout } = await keepalive(argv, { stdin: text });
    expect(stdout).toContain('spec.worker.spec.os is a text, and has to be a map');
    expect(stdout).toContain('1 error: 0 valid policies and 1 pod template in 1 file');
  });
});

test('whatever stands in a template, check and render come to an end', async () => {
  const odd = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom(null, [null], [{}], {}, [[]]));
  const or = (value: unknown) => fc.oneof(fc.constant(value), odd);
  const requirement = fc.record({ key: or(windows.key), operator: or('In'), values: or(['windows']) });
  const terms = fc.array(
    fc.oneof(odd, fc.record({ matchExpressions: fc.oneof(odd, fc.array(requirement)) })),
  );
  const sysctls = fc.array(fc.oneof(odd, fc.record({ name: or(time.name), value: or('30') })));
  const specs = fc.record(
    {
      ...{
        nodeName: or('n1'),
        os: or({ name: 'linux' }),
        nodeSelector: or({ a: 'b' }),
        hostNetwork: or(true),
      },
      tolerations: fc.oneof(odd, fc.array(fc.record({ key: or('os'), value: or('windows') }))),
      affinity: fc.oneof(
        odd,
        terms.map((list) => term(list).affinity),
      ),
      securityContext: fc.oneof(odd, fc.record({ sysctls: fc.oneof(odd, sysctls) })),
    },
    { requiredKeys: [] },
  );
  const templates = fc.record({
    metadata: fc.record({ labels: odd, annotations: odd }),
    spec: fc.oneof(odd, specs),
  });
  await fc.assert(
    fc.asyncProperty(templates, async (template) => {
      const stdin = JSON.stringify({
        apiVersion: 'v1',
        kind: 'List',
        items: [everyPod, { ...deployment(), spec: { template } }],
      });
      for (const argv of [['check', '-f', '-'], ['render']])
        expect([0, 1]).toContain((await keepalive(argv, { stdin })).code);
    }),
    { numRuns: 100 },
  );
});

test('a sysctl without a value is told of', async () => {
  const { code, stdout } = await keepalive(['check', '-f', '-'], {
    stdin: yaml(deployment(declaring({ name: time.name }))),
  });
  expect(code).toBe(1);
  expect(stdout).toContain('net.ipv4.tcp_keepalive_time has no value: write one in quotes, or remove it');
});

test.each([
  [120, 'beyond-limits'],
  [-5, 'nothing to remark'],
  [{ a: 1 }, 'nothing to remark'],
])(
  'a setting of the cluster without quotes is read as it is meant, or not at all: %j',
  async (value, words) => {
    const settings = {
      ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'keepalive-settings' } },
      data: { smallestIdleTimeoutSeconds: value },
    };
    const { stdout } = await keepalive(['check', '-f', '-'], { stdin: yaml(settings, policy()) });
    expect(stdout).toContain(words);
  },
);
