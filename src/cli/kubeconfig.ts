import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

import { textOf } from '../api/schema-node.ts';
import { findHomeDir, KubeConfig } from '../kube/kubeconfig.ts';
import type { Entries } from './kubeconfig-entries.ts';
import { merged, readEntries } from './kubeconfig-entries.ts';
import { impersonationOf } from './kubeconfig-user.ts';
import { mostSimilar } from './similar.ts';
import { CommandError } from './terminal.ts';

interface Options {
  readonly kubeconfig?: string;
  readonly context?: string;
}

export interface Login {
  /** Its current context leads to a cluster. */
  readonly config: KubeConfig;
  /** What every request says of the user besides what client-node knows. */
  readonly headers: Readonly<Record<string, string>>;
}

/** As kubectl finds it, or a tool would ask another cluster than the one that its user sees, or as somebody else. */
export function loadKubeConfig({ kubeconfig, context }: Options): Login {
  const files = filesOf(kubeconfig);
  if (files === undefined) return { config: withoutFile(context), headers: {} };
  const entries = merged(files.map(readEntries));
  const currentContext = context ?? entries.currentContext;
  const lack = lackOf(entries, { context: currentContext, isNamed: context !== undefined });
  if (lack !== undefined) throw new CommandError(lack);
  const config = new KubeConfig();
  // Entries that are not whole are nobody's fault here: another is chosen.
  config.loadFromString(asText({ ...entries, currentContext }), { onInvalidEntry: 'filter' });
  const user = textOf(entries.context.get(currentContext)?.user);
  return { config, headers: impersonationOf(user, entries.user.get(user) ?? {}) };
}

/**
 * Which count; undefined where there is none. Not by client-node, which refuses a file of KUBECONFIG that is not there: kubectl
 * (k8s.io/client-go, tools/clientcmd/loader.go) passes it over.
 */
function filesOf(kubeconfig: string | undefined): string[] | undefined {
  if (kubeconfig !== undefined) {
    if (existsSync(kubeconfig)) return [kubeconfig];
    throw new CommandError(`--kubeconfig ${kubeconfig}: there is no such file`);
  }
  const { KUBECONFIG: list = '' } = process.env;
  if (list === '') {
    const home = findHomeDir();
    const file = home === null ? '' : join(home, '.kube', 'config');
    return existsSync(file) ? [file] : undefined;
  }
  const files = [...new Set(list.split(delimiter))].filter((file) => file !== '' && existsSync(file));
  if (files.length > 0) return files;
  throw new CommandError(
    `KUBECONFIG=${list}: no such file is there: set it to one that is, or name a file by --kubeconfig`,
  );
}

/** In a pod, or where WSL has one. */
function withoutFile(context: string | undefined): KubeConfig {
  const config = new KubeConfig();
  config.loadFromDefault();
  // What client-node makes up where there is nothing at all.
  if (config.getCurrentContext() === 'loaded-context')
    throw new CommandError(
      'there is no kubeconfig: set KUBECONFIG, or name a file by --kubeconfig. Whoever runs the cluster has one for you; ' +
        '`derive`, `check` and `render` need no cluster',
    );
  const names = config.getContexts().map(({ name }) => name);
  const chosen = context ?? config.getCurrentContext();
  if (!names.includes(chosen)) throw new CommandError(notThere(chosen, names, context !== undefined));
  config.setCurrentContext(chosen);
  return config;
}

/** Why a context leads to no cluster, and what to do. */
function lackOf(
  { context: contexts, cluster: clusters, user: users }: Entries,
  { context, isNamed }: { context: string; isNamed: boolean },
): string | undefined {
  const chosen = contexts.get(context);
  if (chosen === undefined) return notThere(context, [...contexts.keys()], isNamed);
  const [cluster, user] = [textOf(chosen.cluster), textOf(chosen.user)];
  const other = 'or choose another --context';
  if (cluster === '')
    return `context ${context} names no cluster: \`kubectl config set-context ${context} --cluster=NAME\` sets it (there is ${someOf([...clusters.keys()], 'cluster')}), ${other}`;
  const fields = clusters.get(cluster);
  if (fields === undefined)
    return `context ${context} names cluster ${cluster}: the kubeconfig has ${someOf([...clusters.keys()], 'cluster')}. Add it, ${other}`;
  if (textOf(fields.server) === '')
    return `cluster ${cluster} of context ${context} has no server: \`kubectl config set-cluster ${cluster} --server=https://…\` sets it, ${other}`;
  if (user !== '' && !users.has(user))
    return `context ${context} names user ${user}: the kubeconfig has ${someOf([...users.keys()], 'user')}. Add it, ${other}`;
  return undefined;
}

function notThere(context: string, names: readonly string[], isNamed: boolean): string {
  if (context === '')
    return `the kubeconfig names no current context: choose one by --context, of ${someOf(names, 'context')}`;
  const similar = mostSimilar(context, names);
  const meant = similar === undefined ? '' : ` Did you mean ${similar}?`;
  return `${isNamed ? '--context' : 'current-context'} ${context}: the kubeconfig has ${someOf(names, 'context')}.${meant}`;
}

function someOf(names: readonly string[], kind: string): string {
  return names.length === 0 ? `no ${kind} at all` : names.join(', ');
}

function asText({ cluster, user, context, currentContext }: Entries): string {
  return JSON.stringify({
    clusters: [...cluster].map(([name, one]) => ({ name, cluster: one })),
    users: [...user].map(([name, one]) => ({ name, user: one })),
    contexts: [...context].map(([name, one]) => ({ name, context: one })),
    'current-context': currentContext,
  });
}
