import { existsSync } from 'node:fs';
import { delimiter } from 'node:path';

import { KubeConfig } from '../kube/kubeconfig.ts';
import { CommandError } from './terminal.ts';

/** As kubectl finds it, or a tool would ask another cluster than the one that its user sees. */
export function loadKubeConfig(file: string | undefined): KubeConfig {
  if (file !== undefined && !existsSync(file))
    throw new CommandError(`--kubeconfig ${file}: there is no such file`);
  const { KUBECONFIG = '' } = process.env;
  if (file !== undefined) return readFile(file);
  return KUBECONFIG === '' ? byDefault() : merged(KUBECONFIG);
}

function byDefault(): KubeConfig {
  const config = new KubeConfig();
  reading('~/.kube/config', () => {
    config.loadFromDefault();
  });
  // What client-node makes up where there is no file at all.
  if (config.getCurrentContext() === 'loaded-context')
    throw new CommandError(
      'there is no kubeconfig: set KUBECONFIG, or name a file by --kubeconfig. Whoever runs the cluster has one for you; ' +
        '`derive`, `check` and `render` need no cluster',
    );
  return config;
}

/**
 * By hand, since client-node takes the last current context, refuses a name that two files have and a file that is not there.
 * kubectl (k8s.io/client-go, tools/clientcmd/loader.go) passes a missing file over, and of each name takes the first.
 */
function merged(list: string): KubeConfig {
  const files = [...new Set(list.split(delimiter))].filter((file) => file !== '' && existsSync(file));
  if (files.length === 0)
    throw new CommandError(
      `KUBECONFIG=${list}: no such file is there: set it to one that is, or name a file by --kubeconfig`,
    );
  const all = files.map(readFile);
  const config = new KubeConfig();
  config.loadFromOptions({
    clusters: firstOfEach(all.flatMap((one) => one.getClusters())),
    users: firstOfEach(all.flatMap((one) => one.getUsers())),
    contexts: firstOfEach(all.flatMap((one) => one.getContexts())),
    currentContext: all.map((one) => one.getCurrentContext()).find(Boolean),
  });
  return config;
}

function firstOfEach<T extends { readonly name: string }>(list: readonly T[]): T[] {
  return [...Map.groupBy(list, ({ name }) => name).values()].flatMap(([first]) => first ?? []);
}

function readFile(file: string): KubeConfig {
  const config = new KubeConfig();
  reading(file, () => {
    config.loadFromFile(file);
  });
  return config;
}

function reading(name: string, read: () => void): void {
  try {
    read();
  } catch (error) {
    throw new CommandError(`${name} cannot be read as a kubeconfig: ${(error as Error).message}`);
  }
}
