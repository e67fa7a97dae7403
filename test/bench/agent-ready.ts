import { join } from 'node:path';

import { AGENT_NAME } from '../../src/api/group.ts';
import { serviceOfApi } from '../cluster/addresses.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { repository } from '../cluster/place.ts';
import { AgentPod } from './agent-pod.ts';
import type { Result } from './result.ts';
import { latencies } from './result.ts';

const times = 20;
const address = '127.0.0.1:18080';
/** Where a pod finds it; the node has folders of its own there, which end with it. */
const account = '/run/secrets/kubernetes.io/serviceaccount';

/** From exec to ready: the bundle as the image runs it, on the node, with the token and the address of its pod. */
export async function readyTimes(cluster: Cluster, say: (text: string) => void): Promise<Result> {
  say('from exec to ready');
  const host = await cluster.lab.host('n1');
  const { name } = await AgentPod.find(cluster);
  const token = await cluster.kubectl(
    ...['create', 'token', AGENT_NAME, '-n', AGENT_NAME],
    ...['--bound-object-kind', 'Pod', '--bound-object-name', name],
  );
  const ca = join(cluster.lab.folder, 'pki/ca.crt');
  const put = `mkdir -p ${account}; cat > ${account}/token; cp '${ca}' ${account}/ca.crt`;
  await host.execOrThrow(['sh', '-c', put], { stdin: token, cwd: '/' });
  const measure = async (path: string, argv: readonly string[], env: NodeJS.ProcessEnv = {}) => {
    const script = join(import.meta.dirname, 'ready.ts');
    const asked = [process.execPath, script, String(times), `http://${address}${path}`];
    const printed = await host.execOrThrow([...asked, process.execPath, ...argv], {
      env: { ...cluster.lab.environment(), ...env },
      cwd: '/',
    });
    return latencies(printed.trim().split('\n').map(Number));
  };
  const [listenHost, port] = address.split(':');
  const bare = `http.createServer((_, answer) => answer.end()).listen(${port}, '${listenHost}')`;
  return {
    bench: 'agent',
    setting: 'from exec to the first answer 200 of /readyz: everything read, values held, reported',
    rows: [
      {
        what: 'the agent',
        figures: await measure('/readyz', [join(repository, 'dist/main.mjs'), 'agent'], {
          KUBERNETES_SERVICE_HOST: serviceOfApi,
          KUBERNETES_SERVICE_PORT: '443',
          NODE_NAME: 'n1',
          POD_NAME: name,
          METRICS_ADDRESS: address,
          PROC_ROOT: '/proc',
          STATE_FOLDER: '/run/bench-agent',
        }),
      },
      { what: 'a bare Node process that answers', figures: await measure('/', ['-e', bare]) },
    ],
  };
}
