import type { Bench } from '../../e2e/shared.ts';

interface Held {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly generation?: number;
    readonly managedFields?: readonly Writer[];
  };
}

interface Writer {
  readonly manager: string;
  readonly operation: string;
  readonly subresource?: string;
  readonly time: string;
}

const kinds = [
  'deployments,daemonsets,configmaps,services,serviceaccounts,roles,rolebindings,poddisruptionbudgets',
  'clusterroles,clusterrolebindings,customresourcedefinitions,keepalivepolicies,clusterkeepalivepolicies',
  'mutatingadmissionpolicies,mutatingadmissionpolicybindings',
  'validatingadmissionpolicies,validatingadmissionpolicybindings',
].join(',');

export interface Written {
  readonly generation: number | undefined;
  readonly writers: readonly Pick<Writer, 'manager' | 'operation' | 'time'>[];
}

/** Who wrote what Git holds, and when, by object: of its status nobody is asked, since Git holds none. */
export async function written(bench: Bench): Promise<Record<string, Written>> {
  const found: Record<string, Written> = {};
  for (const by of ['kustomize.toolkit.fluxcd.io/name', 'helm.toolkit.fluxcd.io/name']) {
    const { items } = await bench.json<{ items: readonly Held[] }>(
      kinds,
      '-A',
      '-l',
      by,
      '--show-managed-fields',
    );
    for (const { kind, metadata } of items) {
      const { namespace = '', name, generation, managedFields = [] } = metadata;
      const writers = managedFields.filter(({ subresource }) => subresource === undefined);
      found[`${kind} ${namespace}/${name}`] = {
        generation,
        writers: writers.map(({ manager, operation, time }) => ({ manager, operation, time })),
      };
    }
  }
  return found;
}
