import { SETTINGS_NAME } from '../api/settings.ts';
import type { ApiClient } from '../kube/client.ts';
import type { Log } from '../kube/log.ts';
import type { Identified } from '../kube/store.ts';
import { Store } from '../kube/store.ts';
import type { Watched } from '../kube/watched.ts';
import { watcher } from '../kube/watched.ts';
import { labelledRecord, policyRecord, settingsRecord } from '../policy/record.ts';
import { refusedIn } from '../policy/refusal.ts';
import {
  admissionRecord,
  agentsRecord,
  bindingRecord,
  deploymentRecord,
  podRecord,
  refusalRecord,
  webhookRecord,
} from './record.ts';
import type { ResourceName } from './resource.ts';
import { resources } from './resource.ts';
import type { World } from './world.ts';
import { staticAdmission } from '../policy/installation.ts';
import type { StoredSecret } from './webhook-secret.ts';
import { secretName, secretRecord } from './webhook-secret.ts';

export interface WatchOptions {
  readonly client: ApiClient;
  readonly world: World;
  readonly log: Log;
  readonly onChange: (resource: ResourceName, key: string, before: unknown) => void;
}

function watcherOf({ client, log, onChange }: WatchOptions): ReturnType<typeof watcher> {
  return watcher({
    client,
    log,
    onChange: (resource, key, before) => {
      onChange(resource as ResourceName, key, before);
    },
  });
}

/**
 * What the API server said to pods that a DaemonSet wanted to make. The right to read that comes with the agents: not
 * to be run before there is a DaemonSet.
 */
export function watchRefusals(options: WatchOptions): Watched {
  return watcherOf(options)({
    resource: 'events',
    target: { ...resources.events, namespace: options.world.homes.agents },
    fieldSelector: 'involvedObject.kind=DaemonSet,reason=FailedCreate',
    store: options.world.refusals,
    trim: refusalRecord,
  });
}

/**
 * That pods could not be made, wherever. Of these events nothing is kept but the newest of each namespace, since a tenant
 * may write as many as he likes; and one that the API server forgets has happened all the same.
 */
export function watchRefusedPods(options: WatchOptions, onRefused: (namespace: string) => void): Watched {
  const { client, world } = options;
  return watcherOf(options)({
    resource: 'events',
    target: resources.events,
    fieldSelector: 'reason=FailedCreate,type=Warning',
    store: new Store<Identified>(),
    trim: (event) => {
      const one = refusedIn(event);
      if (one !== undefined && world.refused.note(one, client.time.now().getTime())) onRefused(one.namespace);
      return undefined;
    },
  });
}

/** There is one controller, and what it takes a policy for is what the status says. */
const doubt = { minSeconds: 1, maxSeconds: 5 };

/** What new pods are changed by, as far as the API server serves it; none runs yet. */
export function watchPolicies(options: WatchOptions): Watched[] {
  const { world } = options;
  const watched = watcherOf(options);
  const of = (resource: ResourceName) => ({ resource, target: resources[resource] });
  return [
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

/** What a webhook needs: its configuration, and the keys that it serves by. By their names, as the rights are. */
export function watchWebhook(options: WatchOptions, secrets: Store<StoredSecret>): Watched[] {
  const { world } = options;
  const watched = watcherOf(options);
  return [
    watched({
      resource: 'mutatingwebhookconfigurations',
      target: resources.mutatingwebhookconfigurations,
      fieldSelector: `metadata.name=${staticAdmission.webhook.metadata.name}`,
      store: world.mutatingwebhookconfigurations,
      trim: (object) => webhookRecord(object, world.homes),
    }),
    watched({
      resource: 'secrets',
      target: { ...resources.secrets, namespace: world.homes.controller },
      fieldSelector: `metadata.name=${secretName}`,
      store: secrets,
      trim: secretRecord,
    }),
  ];
}

/** A watch for each resource that the controller reads whatever changes new pods; none runs yet. */
export function watchAll(options: WatchOptions): Watched[] {
  options.world.configmaps.onLeft = (key, before) => {
    options.onChange('configmaps', key, before);
  };
  const { world } = options;
  const { agents, controller } = world.homes;
  const watched = watcherOf(options);
  const of = (resource: ResourceName) => ({ resource, target: resources[resource] });
  return [
    watched({
      ...{ ...of('keepalivepolicies'), doubt },
      store: world.keepalivepolicies,
      trim: (object) => policyRecord('KeepalivePolicy', object),
    }),
    watched({
      ...{ ...of('clusterkeepalivepolicies'), doubt },
      store: world.clusterkeepalivepolicies,
      trim: (object) => policyRecord('ClusterKeepalivePolicy', object),
    }),
    watched({
      ...of('nodekeepalives'),
      store: world.nodekeepalives,
      trim: (object) => world.reportRecord(object),
    }),
    watched({ ...of('pods'), store: world.pods, trim: (object) => podRecord(object, agents) }),
    watched({ ...of('namespaces'), store: world.namespaces, trim: labelledRecord }),
    watched({ ...of('nodes'), store: world.nodes, trim: labelledRecord }),
    watched({
      ...{ resource: 'configmaps', target: { ...resources.configmaps, namespace: controller } },
      store: world.configmaps,
      fieldSelector: `metadata.name=${SETTINGS_NAME}`,
      trim: settingsRecord,
    }),
    watched({
      ...of('daemonsets'),
      target: { ...resources.daemonsets, namespace: agents },
      store: world.daemonsets,
      trim: agentsRecord,
    }),
    watched({
      ...of('deployments'),
      target: { ...resources.deployments, namespace: controller },
      store: world.deployments,
      trim: deploymentRecord,
    }),
  ];
}
