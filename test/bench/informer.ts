/** The alternative that the controller is measured beside: client-node's own informer on the same pods. */
import { CoreV1Api, KubeConfig, makeInformer } from '@kubernetes/client-node';

const config = new KubeConfig();
config.loadFromDefault();
const api = config.makeApiClient(CoreV1Api);
let pods = 0;
const informer = makeInformer(config, '/api/v1/pods', () => api.listPodForAllNamespaces());
informer.on('add', () => {
  pods += 1;
});
await informer.start();
process.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), pods, msg: 'synced' })}\n`);
