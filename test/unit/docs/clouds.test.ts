import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from '@jest/globals';

import { presets } from '../../../src/api/presets.ts';
import { Page } from './page.ts';

const root = join(import.meta.dirname, '../../..');
const rows = new Page('docs/clouds.md').tableAfter('# Managed and packaged Kubernetes');
const named = (cell: string) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);

test.each(rows.map(([platform = '', path = '']) => [platform, named(path)] as const))(
  '%s: what forgets there are presets that a policy can name',
  (_platform, names) => {
    expect(names.filter((name) => !(name in presets))).toEqual([]);
  },
);

test('the values for a platform are in the chart', () => {
  const files = rows.flatMap((cells) => named(cells.at(-1) ?? '')).filter((name) => name.endsWith('.yaml'));
  expect(files.length).toBeGreaterThan(2);
  expect(files.filter((name) => !existsSync(join(root, 'deploy/chart', name)))).toEqual([]);
});

test('of EKS it is not said that nothing has to be set, where a CNI keeps its control plane from the webhook', () => {
  const set = rows.find(([platform]) => platform === 'EKS, own or managed node group')?.at(-1);
  expect(set).toContain('(#pods-that-the-control-plane-cannot-reach)');
});

test('where there is nothing but Fargate, the profile that lets the controller start comes first', () => {
  const fargate = rows.find(([platform]) => platform === 'EKS Fargate')?.at(-1);
  expect(fargate).toContain('(#eks-fargate)');
  const [command = ''] = new Page('docs/clouds.md').blocks('sh', 'EKS Fargate');
  expect(command).toMatch(/^eksctl create fargateprofile .*--namespace keepalive-system$/m);
  const values = readFileSync(join(root, 'deploy/chart/values-eks-fargate.yaml'), 'utf8');
  expect(values).toContain('docs/clouds.md#eks-fargate');
});
