import * as z from 'zod';

import { actings, defaultSettings } from '../../src/api/settings.ts';
import type { Base } from './base.ts';
import type { Value, Values } from './value.ts';
import { value } from './value.ts';

const flag = z.boolean();
const text = z.string();
const count = (min: number, max: number) => z.int().min(min).max(max);
/** What Kubernetes itself knows the shape of, and tells of. */
const object = z.record(z.string(), z.unknown());
const objects = z.array(object);
const texts = z.record(z.string(), z.string());
const labels = z.record(
  z.string(),
  z
    .string()
    .max(63)
    .regex(/^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/),
);
/** What it may be given from besides a value, Kubernetes itself tells of. */
const variables = z.array(z.looseObject({ name: z.string().min(1), value: z.string().optional() }));
const port = count(1, 65_535);
/** Its user has no right to take one below, which only the network of a pod does without. */
const ownPort = count(1024, 65_535);
const label = z.string().regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/);
const numberOrPercentage = z.union([z.int().min(0), z.string().regex(/^(100|[0-9]{1,2})%$/)]);
/** As the API server reads quantities; a part of a pod it refuses. */
const podCount = z.union([z.int().min(0), z.string().regex(/^[0-9]+(k|Ki|M|Mi)?$/)]);

/** The one source of values.yaml, values.schema.json and the table of the README. What deploy/ says is the default. */
export function chartValues(base: Base): Values {
  return {
    image: {
      registry: value(
        text,
        'keepalive.dev',
        'Where the image is. A published chart says so; where this is keepalive.dev there is none: name your own.',
      ),
      repository: value(text.min(1), 'keepalive-operator', 'What it is called there.'),
      tag: value(
        text,
        '',
        'The version of the chart, unless it is set; of a published chart the image that was made with it, by its digest.',
      ),
      digest: value(
        z.string().regex(/^(sha256:[a-f0-9]{64})?$/),
        '',
        'sha256:… names the image by what it holds; the tag is left out then.',
      ),
      pullPolicy: value(z.enum(['Always', 'IfNotPresent', 'Never']), 'IfNotPresent', 'When a node pulls it.'),
    },
    imagePullSecrets: value(objects, [], 'As in `[{name: registry}]`; they have to be in both namespaces.'),
    commonLabels: value(
      labels,
      {},
      'Labels of all objects; not of pods, and no selector has them. Those that objects are found by stay as they are.',
    ),
    crds: {
      enabled: value(
        flag,
        true,
        'Whether the three kinds are part of the release, and are upgraded with it. To take them out of a release that has them, crds.keep has to be true one upgrade before: else they would be deleted, and every policy with them, which is refused.',
      ),
      keep: value(
        flag,
        true,
        'Whether they, and every policy with them, stay when the release is uninstalled. With crds.enabled=false it says nothing.',
      ),
    },
    admission: value(
      z.enum(['auto', 'policy', 'webhook', 'both']),
      'auto',
      'What changes new pods: the API server itself by policies (1.36 and later), or a webhook of the controller. auto: as the cluster can. both: on the way from one to the other.',
    ),
    settings: settings(),
    openshift: {
      enabled: value(
        flag,
        false,
        'Gives the controller no user of its own, lets the agents use the constraints `privileged`, and takes their namespace out of the default node selector of the cluster.',
      ),
    },
    networkPolicy: networkPolicy(),
    podMonitor: {
      enabled: value(
        flag,
        false,
        'A PodMonitor for each of the two namespaces, for the Prometheus operator, whose kinds have to be there.',
      ),
      labels: value(labels, {}, 'What your Prometheus selects PodMonitors by.'),
      interval: value(text.min(2), '30s', 'How often it scrapes.'),
    },
    prometheusRule: {
      enabled: value(
        flag,
        false,
        'Alerts for the Prometheus operator; each has a section in docs/runbook.md.',
      ),
      labels: value(labels, {}, 'What your Prometheus selects rules by.'),
    },
    dashboards: {
      enabled: value(flag, false, 'Dashboards in ConfigMaps, which the sidecar of Grafana loads.'),
      labels: value(labels, { grafana_dashboard: '1' }, 'What that sidecar selects them by.'),
    },
    controller: controller(base),
    agent: agent(base),
    // A chart that has this one as its part hands these down to each.
    global: value(object, {}, 'Of a chart that this one is a part of; nothing here reads it.'),
    enabled: value(
      flag.optional(),
      true,
      'For the `condition` of a chart that this one is a part of; nothing here reads it.',
    ),
  };
}

/** The data of the ConfigMap of the settings. */
function settings(): Values {
  const limits = defaultSettings;
  return {
    acting: value(
      z.enum(['', ...actings]),
      '',
      'The switch of the whole product. Empty: Enforce, and no upgrade throws it back where somebody threw it by hand.',
    ),
    smallestIdleTimeoutSeconds: value(
      count(2, 432_000),
      limits.smallestIdleTimeoutSeconds,
      'The shortest idle timeout that a KeepalivePolicy may declare.',
    ),
    smallestIntervalSeconds: value(
      count(1, 75),
      limits.smallestIntervalSeconds,
      'The smallest timeSeconds and intervalSeconds that a KeepalivePolicy may declare.',
    ),
    openConnections: value(
      z.enum(['Repair', 'Observe']),
      limits.openConnections,
      'Observe: open connections of namespaced policies are counted and not changed.',
    ),
    policiesPerNamespace: value(
      count(0, 10_000),
      limits.policiesPerNamespace,
      'How many KeepalivePolicy objects of a namespace are looked at.',
    ),
  };
}

function networkPolicy(): Values {
  return {
    enabled: value(
      flag,
      false,
      'Whether controller and agents may be spoken to, and speak, only as said here.',
    ),
    metricsFrom: value(objects, [], 'Peers that may read the metrics, as in `[{namespaceSelector: {}}]`.'),
    apiServerPorts: value(z.array(port).min(1), [443, 6443], 'Where the API server listens.'),
  };
}

/** What both say of their pods. */
function ofPods(base: Base, kind: string): Record<string, Value> {
  const spec = ['spec', 'template', 'spec'];
  return {
    resources: value(object, base.at(kind, [...spec, 'containers', 0, 'resources']), 'Requests and limits.'),
    podLabels: value(labels, {}, 'More labels of its pods.'),
    podAnnotations: value(
      texts,
      base.at(kind, ['spec', 'template', 'metadata', 'annotations']),
      'Annotations of its pods.',
    ),
    affinity: value(object, base.at(kind, [...spec, 'affinity']), 'Where its pods go.'),
    extraEnv: value(
      variables,
      [],
      'More environment variables, as in `[{name: LOG_LEVEL, value: debug}]`; one of ours is replaced.',
    ),
    extraArgs: value(z.array(text), [], 'More arguments, as in `[--log-level=debug]`.'),
  };
}

const spec = ['spec', 'template', 'spec'];

function controller(base: Base): Values {
  return {
    replicas: value(
      count(1, 10),
      base.at('Deployment', ['spec', 'replicas']),
      'One acts, the others wait for it to end. Where the webhook changes new pods, each of them answers the API server.',
    ),
    ...ofPods(base, 'Deployment'),
    nodeSelector: value(
      labels,
      base.at('Deployment', [...spec, 'nodeSelector']),
      'Labels of the nodes for it.',
    ),
    tolerations: value(objects, [], 'Taints that it bears.'),
    topologySpreadConstraints: value(objects, [], 'How its replicas are spread.'),
    hostNetwork: value(
      flag,
      false,
      'Whether it is in the network of its nodes: for the webhook, where the control plane reaches no pods. Each replica then takes a node of its own, in a privileged namespace (docs/clouds.md).',
    ),
    metricsPort: value(ownPort, 8080, 'Where it serves metrics and answers probes.'),
    webhookPort: value(ownPort, 9443, 'Where it answers the API server, with the webhook.'),
    priorityClassName: value(text, '', 'A PriorityClass that is there.'),
    podDisruptionBudget: {
      enabled: value(flag, true, 'Whether a drain has to leave some of its replicas.'),
      maxUnavailable: value(
        numberOrPercentage,
        base.at('PodDisruptionBudget', ['spec', 'maxUnavailable']),
        'How many of them it may take at a time.',
      ),
    },
  };
}

function agent(base: Base): Values {
  return {
    enabled: value(
      flag,
      true,
      'Whether there are agents at all. Without: new pods are covered, running pods and nodes keep what they have.',
    ),
    namespace: value(
      label,
      'keepalive-agent',
      'Where they are. It has to be privileged (Pod Security). An upgrade that changes this puts values back on every node at once, until the next agents have set them again (docs/upgrade.md).',
    ),
    createNamespace: value(
      flag,
      true,
      'Whether that namespace is part of the release, and goes with it: in an upgrade that switches this off too, agents included, unless it was told to stay (docs/upgrade.md).',
    ),
    kernelOnly: value(
      flag,
      false,
      'Without the numbers of the host’s processes and the right to list what they have open: for nodes that count connections by BPF.',
    ),
    ...ofPods(base, 'DaemonSet'),
    nodeSelector: value(
      labels,
      base.at('DaemonSet', [...spec, 'nodeSelector']),
      'Labels of the nodes for them.',
    ),
    tolerations: value(
      objects,
      base.at('DaemonSet', [...spec, 'tolerations']),
      'Taints that they bear. A node whose taints they do not bear counts as one whose agent is away, and keeps its values: choose nodes by labels instead.',
    ),
    priorityClassName: value(
      text,
      base.at('DaemonSet', [...spec, 'priorityClassName']),
      'Their PriorityClass.',
    ),
    resourceQuota: {
      enabled: value(
        flag,
        true,
        'A quota that speaks of that PriorityClass; GKE lets such pods run outside of kube-system only with one.',
      ),
      pods: value(podCount, base.at('ResourceQuota', ['spec', 'hard', 'pods']), 'How many pods it allows.'),
    },
    updateStrategy: value(object, base.at('DaemonSet', ['spec', 'updateStrategy']), 'How they are replaced.'),
    seLinuxOptions: value(
      object,
      base.at('DaemonSet', [...spec, 'securityContext', 'seLinuxOptions']),
      'Their SELinux label; Bottlerocket knows other types.',
    ),
    appArmorProfile: value(
      object,
      base.at('DaemonSet', [...spec, 'securityContext', 'appArmorProfile']),
      'Their AppArmor profile; it has to let them look at processes of other profiles.',
    ),
  };
}
