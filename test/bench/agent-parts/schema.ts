import { readConfig, agentConfig } from '../../../src/ops/config.ts';
import { policyRecord } from '../../../src/policy/record.ts';

const environment = { NODE_NAME: 'n1', POD_NAME: 'agent', POD_NAMESPACE: 'keepalive-agent' };
const { problems } = policyRecord('ClusterKeepalivePolicy', {
  metadata: { name: 'bench', uid: 'uid', resourceVersion: '1', generation: 1 },
  spec: { podSelector: {}, path: [{ name: 'nat', type: 'NAT', idleTimeoutSeconds: 90 }] },
});
if (problems !== undefined || readConfig(agentConfig, environment, []).nodeName !== 'n1')
  throw new Error('nothing was read by its schema');
