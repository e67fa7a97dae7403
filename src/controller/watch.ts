import { SETTINGS_NAME } from '../api/settings.ts';
import type { ApiClient } from '../kube/client.ts';
import type { Log } from '../kube/log.ts';
import type { Watched } from '../kube/watched.ts';
import { watcher } from '../kube/watched.ts';
import { labelledRecord, policyRecord, settingsRecord } from '../policy/record.ts';
import { admissionRecord, bindingRecord, nodeKeepaliveRecord, podRecord } from './record.ts';
import type { ResourceName } from './resource.ts';
import { resources } from './resource.ts';
import type { World } from './world.ts';

export interface WatchOptions {
  readonly client: ApiClient;
  readonly world: World;
  /** Where the pods of node agents are. */
  readonly agentNamespace: string;
  /** Where the ConfigMap of the settings is. */
  readonly settingsNamespace: string;
  readonly log: Log;
  readonly onChange: (resource: ResourceName, key: string) => void;
}

/** A watch for each resource that the controller reads; none runs yet. */
export function watchAll(options: WatchOptions): Watched[] {
  const { client, world, agentNamespace, settingsNamespace, log, onChange } = options;
  const watched = watcher({
    client,
    log,
    onChange: (resource, key) => {
      onChange(resource as ResourceName, key);
    },
  });
  const of = (resource: ResourceName) => ({ resource, target: resources[resource] });
  return [
    watched({
      ...of('keepalivepolicies'),
      store: world.keepalivepolicies,
      trim: (object) => policyRecord('KeepalivePolicy', object),
    }),
    watched({
      ...of('clusterkeepalivepolicies'),
      store: world.clusterkeepalivepolicies,
      trim: (object) => policyRecord('ClusterKeepalivePolicy', object),
    }),
    watched({ ...of('nodekeepalives'), store: world.nodekeepalives, trim: nodeKeepaliveRecord }),
    watched({ ...of('pods'), store: world.pods, trim: (object) => podRecord(object, agentNamespace) }),
    watched({ ...of('namespaces'), store: world.namespaces, trim: labelledRecord }),
    watched({ ...of('nodes'), store: world.nodes, trim: labelledRecord }),
    watched({
      ...{ resource: 'configmaps', target: { ...resources.configmaps, namespace: settingsNamespace } },
      store: world.configmaps,
      fieldSelector: `metadata.name=${SETTINGS_NAME}`,
      trim: settingsRecord,
    }),
    watched({
      ...of('mutatingadmissionpolicies'),
      store: world.mutatingadmissionpolicies,
      trim: admissionRecord,
    }),
    watched({
      ...of('mutatingadmissionpolicybindings'),
      store: world.mutatingadmissionpolicybindings,
      trim: bindingRecord,
    }),
  ];
}
