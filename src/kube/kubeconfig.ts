/**
 * All that needs client-node, named one by one in a file that is itself loaded only when it is needed: a bundle then holds
 * a tenth of it, where an `import()` of the package itself would hold every generated model.
 */
import { findHomeDir, HttpMethod, KubeConfig, RequestContext } from '@kubernetes/client-node';
import { Agent } from 'undici';

import type { Connection } from './connection.ts';
import { connect, h2Options, plain } from './connection.ts';

export { findHomeDir, KubeConfig };
export type { Cluster as KubeCluster } from '@kubernetes/client-node';

/**
 * Of a kubeconfig with all that client-node understands: tokens, exec plugins, client certificates, proxies.
 * `more` goes with every request. client-node 2.0.1 builds a new connection pool for each request; the first one is kept here.
 */
export async function fromKubeConfig(
  config: KubeConfig,
  more: Readonly<Record<string, string>> = {},
): Promise<Connection> {
  const cluster = config.getCurrentCluster();
  if (!cluster)
    throw new Error('the kubeconfig names no current context: run `kubectl config use-context NAME`');
  if (cluster.server.startsWith('http:')) return plain(cluster.server);
  const authenticate = async () => {
    const context = new RequestContext(cluster.server, HttpMethod.GET);
    await config.applySecurityAuthentication(context);
    return context;
  };
  const dispatcher = (await authenticate()).getDispatcher() ?? new Agent({ h2Options, connect });
  return {
    server: cluster.server,
    dispatcher: () => dispatcher,
    headers: async () => ({ ...cleaned((await authenticate()).getHeaders()), ...more }),
    close: () => dispatcher.destroy(),
  };
}

/** The file of a token ends in a newline, which no header may have. */
function cleaned(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value.trim()]),
  );
}
