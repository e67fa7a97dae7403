import { symlinkSync } from 'node:fs';
import { join } from 'node:path';

import { beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';

import { fill, placeFor } from '../cluster/cache.ts';
import { run, runOrThrow } from '../cluster/command.ts';
import { repository } from '../cluster/place.ts';
import { Page } from '../unit/docs/page.ts';
import type { PackedProject } from './packed-project.ts';

const compilerOptions = {
  strict: true,
  noEmit: true,
  target: 'es2022',
  module: 'nodenext',
  types: [],
  lib: ['es2022', 'dom'],
};

const program = (spec: string) => `
import { ClusterKeepalivePolicy, KeepalivePolicy } from 'keepalive-operator/models';
import type { KeepalivePolicySpec } from 'keepalive-operator/models';
const spec: KeepalivePolicySpec = ${spec};
const policy = new KeepalivePolicy({ metadata: { name: 'a', namespace: 'db' }, spec });
policy.validate();
new KeepalivePolicy({ metadata: { generateName: 'a-', finalizers: ['example.com/keep'] }, spec }).validate();
new ClusterKeepalivePolicy({ metadata: { name: 'b' }, spec: { nodes: { selector: {} }, path: spec.path } }).validate();
console.log(JSON.stringify(policy));
`;

/** Of who makes charts by it; nothing that runs or is packed needs it. */
const cdk8s = ['cdk8s@2.70.106', 'constructs@10.8.1'];

async function fetchCdk8s(): Promise<string> {
  const place = placeFor('programs', 'cdk8s', cdk8s);
  await fill(place, async (folder) => {
    await runOrThrow(['npm', 'install', '--prefix', folder, '--no-save', ...cdk8s]);
  });
  return join(place, 'node_modules');
}

const [alone = '', chart = ''] = new Page('docs/cli.md').blocks('ts');
const good = {
  'good.ts': program(
    "{ podSelector: { matchLabels: { app: 'mongo' } }, path: [{ preset: 'aws-nlb' }, { name: 'n', type: 'NAT', idleTimeoutSeconds: 90 }] }",
  ),
  'page.ts': alone,
  'chart.ts': alone.replace(/^console\.log.*\n/m, '') + chart,
};
const bad = [
  ['an unknown preset', "{ podSelector: {}, path: [{ preset: 'aws-nbl' }] }", '"aws-nbl"'],
  [
    'a number with a unit',
    "{ podSelector: {}, path: [{ name: 'n', type: 'NAT', idleTimeoutSeconds: '90s' }] }",
    "Type 'string' is not assignable to type 'number'",
  ],
  ['a field that no schema has', '{ podSelector: {}, path: [], hops: [] }', "'hops' does not exist"],
  ['no selector', '{ path: [] }', "Property 'podSelector' is missing"],
] as const;
const badFile = (sentence: string) => `${sentence.replaceAll(' ', '-')}.ts`;

/** What the compiler says of all of them, each message with the lines that belong to it. */
async function compile(project: PackedProject): Promise<string[]> {
  const place = await fetchCdk8s();
  for (const name of ['cdk8s', 'constructs'])
    symlinkSync(join(place, name), join(project.path, 'node_modules', name));
  const files = new Map<string, string>([
    ...Object.entries(good),
    ...bad.map(([sentence, spec]) => [badFile(sentence), program(spec)] as const),
  ]);
  for (const [name, text] of files) project.write(name, text);
  project.write('tsconfig.json', JSON.stringify({ compilerOptions, files: [...files.keys()] }));
  const { stdout } = await run([join(repository, 'node_modules/.bin/tsc')], { cwd: project.path });
  return stdout.split(/^(?=\S)/m);
}

export function describeModels(project: PackedProject): void {
  describe('the models, for who writes manifests in TypeScript', () => {
    let messages: string[];
    beforeAll(async () => {
      messages = await compile(project);
    }, 300_000);
    const printed = (name: keyof typeof good) => runOrThrow([process.execPath, name], { cwd: project.path });
    const policy = {
      ...{ apiVersion: 'keepalive.dev/v1alpha1', kind: 'KeepalivePolicy' },
      metadata: { name: 'behind-the-nat', namespace: 'db' },
      spec: {
        podSelector: { matchLabels: { app: 'mongo' } },
        path: [{ preset: 'aws-nlb' }, { name: 'office-nat', type: 'NAT', idleTimeoutSeconds: 90 }],
      },
    };

    test('compile where nothing is wrong', () => {
      const ofBad = ([sentence]: (typeof bad)[number]) => `${badFile(sentence)}(`;
      expect(messages.filter((one) => !bad.some((row) => one.startsWith(ofBad(row))))).toEqual([]);
    });

    test.each(bad)('do not compile with %s', (sentence, _spec, words) => {
      expect(messages.filter((one) => one.startsWith(`${badFile(sentence)}(`)).join('')).toContain(words);
    });

    test('run, and are what kubectl takes', async () => {
      expect(JSON.parse(await printed('good.ts'))).toMatchObject({
        apiVersion: 'keepalive.dev/v1alpha1',
        kind: 'KeepalivePolicy',
      });
    });

    test('print the policy, as docs/cli.md has it', async () => {
      expect(JSON.parse(await printed('page.ts'))).toEqual(policy);
    });

    test('go into a chart of cdk8s, as docs/cli.md has it', async () => {
      expect(await printed('chart.ts')).toBe('');
      expect(parse(project.read('dist/policies.k8s.yaml'))).toEqual(policy);
    });
  });
}
