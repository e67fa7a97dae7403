import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { expect, test } from '@jest/globals';

import { podRecord } from '../../../src/controller/record.ts';
import type { KubeObject } from '../../../src/kube/resource.ts';
import { heldLabels } from '../../../src/policy/held-labels.ts';
import { nodePod } from '../../../src/policy/node-pod.ts';
import { labelledRecord } from '../../../src/policy/record.ts';
import { agentSkipOf } from '../../../src/policy/skip.ts';

const many = (count: number): Record<string, string> =>
  Object.fromEntries(
    Array.from({ length: count }, (_, index) => [
      `example.com/${String(index).padStart(60, 'a')}`,
      'v'.repeat(63),
    ]),
  );
const size = (labels: object) => JSON.stringify(labels).length;
const text = (object: object) => JSON.parse(JSON.stringify(object)) as KubeObject;
const pod = (labels: object, uid = '00000000-0000-4000-8000-000000000001') =>
  text({ metadata: { name: 'crowded', namespace: 'team', uid, labels }, spec: { nodeName: 'n1' } });

test('the labels of an object are kept as they are, however many a person would write', () => {
  const labels = { ...many(100), app: 'web' };
  expect(heldLabels(labels)).toBe(labels);
  expect(heldLabels(undefined)).toEqual({});
});

test('of more than anybody would write the first are kept, and those that decide by themselves', () => {
  const labels = {
    ...many(8000),
    'keepalive.dev/skip': 'true',
    'pod-security.kubernetes.io/enforce': 'restricted',
    'kubernetes.io/metadata.name': 'team',
  };
  const kept = heldLabels(labels);
  expect(size(kept)).toBeLessThan(20 * 1024);
  expect(kept).toMatchObject({ 'keepalive.dev/skip': 'true', 'kubernetes.io/metadata.name': 'team' });
  expect(labels).toMatchObject(kept);
});

test('whoever holds pods, namespaces and nodes holds no more of them', () => {
  const labels = { ...many(8000), 'keepalive.dev/skip': 'true' };
  const ofAgent = nodePod(pod(labels));
  expect(agentSkipOf(ofAgent)?.reason).toBe('SkipLabel');
  for (const held of [ofAgent, podRecord(pod(labels), 'keepalive-agent'), labelledRecord(pod(labels))])
    expect(size(held)).toBeLessThan(24 * 1024);
});

test('a tenant who makes many such pods does not fill the memory of an agent', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const heap = () => {
    collect();
    return process.memoryUsage().heapUsed;
  };
  const before = heap();
  const held = Array.from({ length: 150 }, (_, index) => nodePod(pod(many(8000), `uid-${index}`) as never));
  expect((heap() - before) / 2 ** 20).toBeLessThan(16);
  expect(held).toHaveLength(150);
});

test('pods of one template share their labels, also while a tenant changes those of one pod again and again', () => {
  const record = (labels: object) => podRecord(pod(labels), 'keepalive-agent');
  const labels = { app: 'web', 'pod-template-hash': '6d4cf56db6' };
  const crowd = (turn: number) => ({ ...many(120), turn: String(turn) });
  const [shared, first] = [record(labels), record(crowd(0))];
  for (let turn = 0; turn < 1000; turn += 1) {
    record(crowd(turn));
    if (turn % 100 === 0) expect(record(labels).labels).toBe(shared.labels);
  }
  expect(record(crowd(0)).labels === first.labels).toBe(false);
});
