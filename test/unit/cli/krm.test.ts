import { describe, expect, test } from '@jest/globals';
import { parse, stringify } from 'yaml';

import { sysctls } from '../../support/builder.ts';
import { keepalive } from '../../support/command-line.ts';
import { deployment, nat, policy } from './manifests.ts';

interface ResourceList {
  readonly items: Record<string, unknown>[];
  readonly results?: {
    severity: string;
    message: string;
    resourceRef?: object;
    field?: object;
    file?: object;
  }[];
}

const annotations = {
  'internal.config.kubernetes.io/path': 'apps/mongo.yaml',
  'internal.config.kubernetes.io/index': '1',
  'internal.config.kubernetes.io/id': '7',
  'config.kubernetes.io/path': 'apps/mongo.yaml',
};
const mongo = { ...deployment(), metadata: { name: 'mongo', namespace: 'db', annotations } };

function listOf(items: object[], more: object = {}, version = 'v1') {
  return { apiVersion: `config.kubernetes.io/${version}`, kind: 'ResourceList', ...more, items };
}

async function run(
  list: object,
  write: (list: object) => string = (one) => stringify(one, { aliasDuplicateObjects: false }),
) {
  const stdin = write(list);
  const { code, stdout, stderr } = await keepalive(['render'], { stdin });
  return { code, stderr, stdin, stdout, list: parse(stdout) as ResourceList };
}

describe('keepalive render as a KRM function', () => {
  test.each(['v1', 'v1beta1'])(
    'puts the values into the items of a ResourceList %s, and says so',
    async (version) => {
      const { code, list, stdin, stdout, stderr } = await run(listOf([policy(), mongo], {}, version));
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      const { results, ...rest } = list;
      const spec = {
        template: { ...deployment().spec.template, spec: { securityContext: { sysctls: sysctls() } } },
      };
      expect(rest).toEqual(listOf([policy(), { ...mongo, spec }], {}, version));
      expect(results).toEqual([
        {
          message: expect.stringContaining('net.ipv4.tcp_keepalive_time=30'),
          severity: 'info',
          resourceRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'mongo', namespace: 'db' },
          field: { path: 'spec.template.spec.securityContext.sysctls', proposedValue: sysctls() },
          file: { path: 'apps/mongo.yaml', index: 1 },
        },
      ]);
      // Spliced and not written anew: every line that came is there, in its order.
      const lines = stdout.split('\n');
      let at = -1;
      for (const line of stdin
        .replace('spec: {}', '')
        .trimEnd()
        .split('\n')
        .filter((one) => one.trim() !== '')) {
        at = lines.findIndex((one, index) => index > at && one.startsWith(line));
        expect([line, at >= 0]).toEqual([line, true]);
      }
    },
  );

  test('speaks JSON to whoever does', async () => {
    const { code, list } = await run(listOf([policy(), mongo]), (one) => JSON.stringify(one, undefined, 1));
    expect(code).toBe(0);
    expect(JSON.stringify(list.items)).toContain('"value":"30"');
    expect(list.results).toHaveLength(1);
  });

  const [one, other] = [policy(), deployment()].map((object) => JSON.stringify(object));
  test.each<[string, string]>([
    [
      'is further in than its file',
      `  apiVersion: config.kubernetes.io/v1\n  kind: ResourceList\n  items:\n  - ${one}\n  - ${other} # the database\n`,
    ],
    [
      'is ended by dots',
      `apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n- ${one}\n- ${other}\n...\n`,
    ],
    [
      'is a flow with a comma and a comment at its end',
      `{apiVersion: config.kubernetes.io/v1, kind: ResourceList, items: [${one}, ${other}],} # all of it\n`,
    ],
  ])('says what it did also in a list that %s', async (_sentence, stdin) => {
    const { code, stdout } = await keepalive(['render'], { stdin });
    expect(code).toBe(0);
    const { items, results } = parse(stdout) as ResourceList;
    expect(JSON.stringify(items)).toContain('"value":"30"');
    expect(results).toHaveLength(1);
    for (const [comment] of stdin.matchAll(/#.*/g)) expect(stdout).toContain(comment);
  });

  test.each<[string, (text: string) => string]>([
    ['an empty list', (text) => `${text}results: []\n`],
    ['nothing', (text) => `${text}results:\n`],
    ['null, above the items', (text) => text.replace('items:', 'results: null\nitems:')],
  ])('says in results what was done, where they are %s', async (_what, change) => {
    const { list } = await run(listOf([policy(), mongo]), (one) => change(stringify(one)));
    expect(list.results).toHaveLength(1);
  });

  test('a second time changes nothing, and says nothing', async () => {
    const { results: _, ...once } = (await run(listOf([policy(), mongo]))).list;
    const { stdin, stdout } = await run(once);
    expect(stdout).toBe(stdin);
  });

  test('gives the list back as it was where a policy would be refused, with the reason, and fails', async () => {
    const bad = policy({ mode: 'Dry' });
    const { code, list, stderr } = await run(listOf([bad, mongo]));
    expect(code).toBe(1);
    expect(list.items).toEqual([bad, mongo]);
    expect(list.results?.[0]).toMatchObject({ severity: 'error' });
    expect(list.results?.[0]?.message).toContain('spec.mode: Unsupported value: "Dry"');
    expect(stderr).toContain('spec.mode: Unsupported value: "Dry"');
  });

  test.each<[string, object, object, string]>([
    [
      'a policy that is refused',
      policy({}, { name: 'nat' }),
      policy({ mode: 'Dry' }, { name: 'office-nat' }),
      'Unsupported value: "Dry"',
    ],
    [
      'a policy with a proxy',
      policy({}, { name: 'nat' }),
      policy({ path: [{ preset: 'envoy-tcp' }, nat] }, { name: 'office-nat' }),
      'envoy-tcp is a proxy',
    ],
    [
      'one of two in namespaces of one ending',
      policy({}, { name: 'nat', namespace: 'team' }),
      policy({ mode: 'Dry' }, { name: 'nat', namespace: 'other-team' }),
      'Unsupported value: "Dry"',
    ],
  ])('names %s, and not another whose name ends alike', async (_sentence, other, meant, words) => {
    const { list } = await run(listOf([other, meant]));
    const { metadata } = meant as ReturnType<typeof policy>;
    expect(list.results?.filter(({ message }) => message.includes(words))).toMatchObject([
      { resourceRef: { kind: 'KeepalivePolicy', name: metadata.name, namespace: metadata.namespace } },
    ]);
  });

  test('tells what is left alone as a warning', async () => {
    const { code, list } = await run(listOf([policy(), deployment({ hostNetwork: true })]));
    expect(code).toBe(0);
    expect(list.results).toMatchObject([
      { severity: 'warning', resourceRef: { kind: 'Deployment', name: 'mongo' } },
    ]);
  });

  const rollout = {
    ...{ ...deployment(), apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout' },
    metadata: { name: 'r' },
  };
  const template = 'Rollout.argoproj.io=spec.template';

  test.each<[string, object]>([
    ['data', { data: { namespace: 'db', templates: `Other.example.org=spec.template ${template}` } }],
    ['a spec', { spec: { namespace: 'db', templates: [template] } }],
    [
      'several of one kind',
      { data: { namespace: 'db', templates: `${template} Rollout.argoproj.io=spec.other` } },
    ],
  ])('takes namespace and templates from %s of functionConfig', async (_sentence, fields) => {
    const functionConfig = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'keepalive' },
      ...fields,
    };
    const { list } = await run(listOf([policy(), rollout], { functionConfig }));
    expect(JSON.stringify(list.items)).toContain('"value":"30"');
  });

  test.each<[string, object, string]>([
    [
      'a key that is spelled wrong',
      { data: { template } },
      'nothing is known of data.template: data, or spec, takes',
    ],
    ['a key in a wrong place', { templates: template }, 'nothing is known of templates'],
    [
      'another type of templates',
      { spec: { templates: { template } } },
      'templates has to be a list of texts',
    ],
    ['another type of namespace', { spec: { namespace: 1 } }, 'namespace has to be a text'],
    ['another type of data', { data: [template] }, 'data has to be a map'],
  ])('refuses %s in functionConfig', async (_sentence, functionConfig, words) => {
    const { code, stdout, stderr } = await run(listOf([policy(), rollout], { functionConfig }));
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(`error: functionConfig: ${words}`);
  });
});
