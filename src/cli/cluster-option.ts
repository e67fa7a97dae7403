import type { Command } from 'commander';

/** Which cluster a command speaks of, as kubectl is told. */
export interface ClusterOptions {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly namespace?: string;
}

/** `namespaced`: what the namespace is for. */
export function addClusterOptions(command: Command, namespaced?: string): Command {
  command
    .option('--kubeconfig <file>', 'how to reach the cluster (default: $KUBECONFIG, else ~/.kube/config)')
    .option('--context <name>', 'which context of it (default: its current one)');
  return namespaced === undefined ? command : command.option('-n, --namespace <name>', namespaced);
}
