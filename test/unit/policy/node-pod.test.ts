import { describe, expect, test } from '@jest/globals';

import { HOST } from '../../../src/policy/place.ts';
import { nodePodOf } from '../../support/builder.ts';

const ids = ['0a', '1b', '2c'].map((two) => two.repeat(32));
const statuses = {
  initContainerStatuses: [{ containerID: `containerd://${ids[0]}` }],
  containerStatuses: [{ containerID: `cri-o://${ids[1]}` }, { state: { waiting: {} } }],
  ephemeralContainerStatuses: [{ containerID: `docker://${ids[2]}` }],
};

describe('what ties a pod to its node', () => {
  test('is its uid, and the containers that its kubelet has told of', () => {
    const { place, identity } = nodePodOf({ name: 'web', status: statuses });
    expect(place).toBe('pod/uid-of-web');
    expect(identity).toEqual({ name: 'db/web', group: 'uid-of-web', containers: ids });
  });

  test('are its containers alone where it is a mirror: the kubelet knows the pod by another uid', () => {
    const annotations = { 'kubernetes.io/config.mirror': 'abc' };
    expect(nodePodOf({ annotations, status: statuses }).identity).toMatchObject({
      group: undefined,
      containers: ids,
    });
  });

  test.each([
    ['host', 'its node'],
    [HOST, 'its node, by the very key'],
    ['c8f5b3c6-7f3b-4a44-9d5e-2f6a0c2e9d10', 'another pod'],
  ])('is no annotation: one of %s does not make it %s', (hash) => {
    const annotations = { 'kubernetes.io/config.mirror': hash, 'kubernetes.io/config.hash': hash };
    const { place, identity } = nodePodOf({ annotations });
    expect(place).toBe('pod/uid-of-mongo-0');
    expect(identity).toEqual({ name: 'db/mongo-0', group: undefined, containers: [] });
  });

  test.each(['', 'host', 'containerd://', 'containerd://host', `containerd://${ids[0]}0`, ids[0]])(
    'is no container ID that no runtime makes: %j',
    (containerID) => {
      const status = { containerStatuses: [{ containerID }] };
      expect(nodePodOf({ status }).identity.containers).toEqual([]);
    },
  );
});
