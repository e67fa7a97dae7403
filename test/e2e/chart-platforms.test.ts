import { join } from 'node:path';

import { beforeAll, describe, expect, test } from '@jest/globals';

import { buildHelms, buildMs, chart, rendered } from '../support/helm.ts';
import { byTitle, changes } from '../support/manifest.ts';

beforeAll(buildHelms, buildMs);

const only = 'Helm 4';
const deployment = 'Deployment keepalive-system/keepalive-controller';

describe('values for a platform', () => {
  const on = async (platform: string) =>
    byTitle(await rendered(only, ['--values', join(chart, `values-${platform}.yaml`)]));

  test.each(['gke-autopilot', 'eks-fargate'])('%s: nothing privileged', async (platform) => {
    const text = JSON.stringify(await on(platform));
    for (const refused of ['DaemonSet', 'hostPath', 'hostPID', 'privileged'])
      expect(text).not.toContain(`"${refused}"`);
    expect(text).toContain('"Deployment"');
  });

  test('gke-autopilot: replicas are spread by no affinity', async () => {
    const pod = (await on('gke-autopilot'))[deployment];
    expect(pod).not.toHaveProperty('spec.template.spec.affinity');
    expect(pod).toHaveProperty('spec.template.spec.topologySpreadConstraints.0.maxSkew', 1);
  });

  test('eks-own-cni: the controller in the network of its nodes, where each port is there once', async () => {
    const found = changes(byTitle(await rendered(only)), await on('eks-own-cni'));
    const pod = `${deployment}.spec.template.spec`;
    const local = [undefined, '127.0.0.1'];
    expect(found).toEqual({
      [`${deployment}.spec.strategy`]: [undefined, { rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } }],
      [`${pod}.hostNetwork`]: [undefined, true],
      [`${pod}.dnsPolicy`]: [undefined, 'ClusterFirstWithHostNet'],
      [`${pod}.containers.0.startupProbe.httpGet.host`]: local,
      [`${pod}.containers.0.livenessProbe.httpGet.host`]: local,
      [`${pod}.containers.0.readinessProbe.httpGet.host`]: local,
    });
  });

  test('openshift: constraints and all nodes for the agents, no user of its own for the controller', async () => {
    const found = changes(byTitle(await rendered(only)), await on('openshift'));
    expect(Object.keys(found).sort()).toEqual([
      `${deployment}.spec.template.spec.securityContext.runAsGroup`,
      `${deployment}.spec.template.spec.securityContext.runAsUser`,
      'Namespace keepalive-agent.metadata.annotations',
      'RoleBinding keepalive-agent/keepalive-agent-scc',
    ]);
    expect(found['Namespace keepalive-agent.metadata.annotations']).toEqual([
      undefined,
      { 'openshift.io/node-selector': '' },
    ]);
  });
});
