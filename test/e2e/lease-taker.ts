/** Takes the Lease of a controller in a namespace of its own, and ends: what time it wrote is that of its clock. */
import { CONTROLLER_NAME } from '../../src/api/group.ts';
import { openCluster } from '../../src/cli/cluster.ts';
import { Lease } from '../../src/kube/lease.ts';
import { createLog } from '../../src/ops/log.ts';

const [namespace = ''] = process.argv.slice(2);
const { client } = await openCluster({ namespace }, 'test');
const log = createLog({ level: 'info', base: { component: 'controller' } });
const lease = new Lease({ client, namespace, name: CONTROLLER_NAME, identity: 'lease-taker', log });
await lease.acquire(AbortSignal.timeout(60_000));
await client.close();
