import { ApiClient } from '../../../src/kube/client.ts';
import { inCluster } from '../../../src/kube/connection.ts';

const client = new ApiClient(inCluster(process.env, process.env.ACCOUNT), { userAgent: 'keepalive-bench' });
const body = await client.watch({ group: '', version: 'v1', plural: 'pods' }, {}, {});
void (async () => {
  for await (const _ of body);
})();
