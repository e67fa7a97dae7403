import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from '@jest/globals';
import { parseAllDocuments } from 'yaml';

import type { NodeRequirement, NodeSelectorTerm, Scheduling } from '../../../src/policy/scheduling.ts';
import { mayBeOn, placementOf } from '../../../src/policy/placement.ts';

interface Manifest {
  readonly kind: string;
  readonly spec: { readonly template?: { readonly spec?: Scheduling } };
}

const manifest = readFileSync(join(import.meta.dirname, '../../../deploy/agent.yaml'), 'utf8');
const objects = parseAllDocuments(manifest).map((document) => document.toJS() as Manifest);
const agents = placementOf(objects.find(({ kind }) => kind === 'DaemonSet')?.spec.template?.spec);
const linux = { 'kubernetes.io/os': 'linux' };

describe('the DaemonSet of deploy/agent.yaml is', () => {
  test.each<[string, Record<string, string>]>([
    ['a node of Linux', linux],
    ['a node of EKS', { ...linux, 'eks.amazonaws.com/compute-type': 'ec2' }],
    ['a node of EKS Hybrid', { ...linux, 'eks.amazonaws.com/compute-type': 'hybrid' }],
    ['a node of AKS', { ...linux, 'kubernetes.azure.com/role': 'agent' }],
    ['a node with a type of somebody’s own', { ...linux, type: 'gpu' }],
  ])('for %s', (_sentence, labels) => {
    expect(mayBeOn(agents, { name: 'n1', labels })).toBe(true);
  });

  test.each<[string, Record<string, string>]>([
    ['Windows', { 'kubernetes.io/os': 'windows' }],
    ['EKS Fargate', { ...linux, 'eks.amazonaws.com/compute-type': 'fargate' }],
    ['a virtual kubelet, as of AKS and ACK', { ...linux, type: 'virtual-kubelet' }],
    ['the newer virtual nodes of AKS', { ...linux, virtualization: 'virtualnode2' }],
    ['a virtual node of OKE', { ...linux, 'node-role.kubernetes.io/virtual-node': '' }],
    ['a super node of TKE', { ...linux, 'node.kubernetes.io/instance-type': 'eklet' }],
    ['another cluster behind Liqo', { ...linux, 'liqo.io/type': 'virtual-node' }],
  ])('not for %s', (_sentence, labels) => {
    expect(mayBeOn(agents, { name: 'n1', labels })).toBe(false);
  });
});

describe('a node is chosen', () => {
  const required = (...nodeSelectorTerms: NodeSelectorTerm[]) => ({
    spec: {
      affinity: {
        nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } },
      },
    },
  });
  const expressions = (...matchExpressions: NodeRequirement[]) => ({ matchExpressions });
  const node = { name: 'n1', labels: { zone: 'a', cores: '8' } };

  test.each<[string, { readonly spec?: Scheduling } | undefined, boolean]>([
    ['by a template that asks for nothing', {}, true],
    ['by one that is not there', undefined, true],
    ['by its labels', { spec: { nodeSelector: { zone: 'a' } } }, true],
    ['by all of them only', { spec: { nodeSelector: { zone: 'a', disk: 'fast' } } }, false],
    ['and not by what every object has', { spec: { nodeSelector: { constructor: 'a' } } }, false],
    [
      'by one of several terms',
      required(
        expressions({ key: 'x', operator: 'Exists' }),
        expressions({ key: 'zone', operator: 'Exists' }),
      ),
      true,
    ],
    ['by no term that asks for nothing', required({}), false],
    ['by no list without terms', required(), false],
    ['by In', required(expressions({ key: 'zone', operator: 'In', values: ['a', 'b'] })), true],
    ['by NotIn', required(expressions({ key: 'zone', operator: 'NotIn', values: ['a'] })), false],
    [
      'by NotIn without the label',
      required(expressions({ key: 'x', operator: 'NotIn', values: ['a'] })),
      true,
    ],
    ['by DoesNotExist', required(expressions({ key: 'zone', operator: 'DoesNotExist' })), false],
    ['by Gt', required(expressions({ key: 'cores', operator: 'Gt', values: ['7'] })), true],
    [
      'by Gt, and not of as much',
      required(expressions({ key: 'cores', operator: 'Gt', values: ['8'] })),
      false,
    ],
    ['by Lt', required(expressions({ key: 'cores', operator: 'Lt', values: ['9'] })), true],
    [
      'by Lt, and not without the label',
      required(expressions({ key: 'x', operator: 'Lt', values: ['9'] })),
      false,
    ],
    [
      'by its name',
      required({ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n1'] }] }),
      true,
    ],
    [
      'by another’s name',
      required({ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n2'] }] }),
      false,
    ],
    ['by what this version does not know', required(expressions({ key: 'zone', operator: 'Like' })), true],
  ])('%s', (_sentence, template, isChosen) => {
    expect(mayBeOn(placementOf(template?.spec), node)).toBe(isChosen);
  });
});
