import type { ApiClient } from '../kube/client.ts';
import type { Log } from '../kube/log.ts';
import { Reflector } from '../kube/reflector.ts';
import type { KubeObject } from '../kube/resource.ts';
import type { Identified, Store } from '../kube/store.ts';
import { admissionRecord, bindingRecord, namespaceRecord, podRecord, policyRecord } from './record.ts';
import type { ResourceName } from './resource.ts';
import { resources } from './resource.ts';
import type { World } from './world.ts';

export interface WatchOptions {
  readonly client: ApiClient;
  readonly world: World;
  readonly log: Log;
  readonly onChange: (resource: ResourceName, key: string) => void;
}

/** One watch, with what is told about it. */
export interface Watched {
  readonly resource: ResourceName;
  readonly store: Store<Identified, string>;
  readonly reflector: Pick<Reflector<Identified>, 'run' | 'whenSynced' | 'secondsSinceContact'>;
}

/** A watch for each resource that the controller reads; none runs yet. */
export function watchAll({ client, world, log, onChange }: WatchOptions): Watched[] {
  const watched = <T extends Identified>(
    resource: ResourceName,
    store: Store<T, string>,
    trim: (object: KubeObject) => T | undefined,
  ): Watched => ({
    resource,
    store: store as unknown as Store<Identified, string>,
    reflector: new Reflector<T>({
      client,
      target: resources[resource],
      store,
      trim,
      log,
      onChange: (key) => {
        onChange(resource, key);
      },
    }),
  });
  return [
    watched('keepalivepolicies', world.keepalivepolicies, (object) =>
      policyRecord('KeepalivePolicy', object),
    ),
    watched('clusterkeepalivepolicies', world.clusterkeepalivepolicies, (object) =>
      policyRecord('ClusterKeepalivePolicy', object),
    ),
    watched('pods', world.pods, podRecord),
    watched('namespaces', world.namespaces, namespaceRecord),
    watched('mutatingadmissionpolicies', world.mutatingadmissionpolicies, admissionRecord),
    watched('mutatingadmissionpolicybindings', world.mutatingadmissionpolicybindings, bindingRecord),
  ];
}
