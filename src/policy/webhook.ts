import { AGENT_NAME, GROUP, OPERATOR_LABELS } from '../api/group.ts';
import { SETTINGS_NAMESPACE } from '../api/settings.ts';
import { ADMISSION_API_VERSION, changeablePod, newPods, wasChanged } from './admission.ts';
import { nameLabel } from './left-out.ts';
import { question, questionSelector } from './witness.ts';

/**
 * What makes an API server without MutatingAdmissionPolicy ask us: one webhook for pods that may be changed, one for the
 * question whether it asks at all. review.ts answers both.
 */
export const webhookName = `pods.${GROUP}`;
/** In the path of a request: which of the two it is for. */
export const webhookPaths = { pods: '/pods', witness: '/witness' } as const;
/** As the manifests have it; the configuration in the cluster says what it is called there. */
const service = { name: 'keepalive-webhook', namespace: 'keepalive-system', port: 443 };

/** The namespaces that controller and agents run in; an overlay may make them one. */
export interface Homes {
  readonly controller: string;
  readonly agents: string;
}

export const usualHomes: Homes = { controller: SETTINGS_NAMESPACE, agents: AGENT_NAME };

/** Namespaces whose new pods pass without being asked about: nothing of the cluster's own, and nothing of ours, waits for us to start. */
export function unasked({ controller, agents }: Homes): string[] {
  return ['kube-system', controller, agents];
}

const asking = {
  // A pod is never refused because of us, and waits for a second at the longest; for two where we are asked once more.
  failurePolicy: 'Ignore',
  timeoutSeconds: 1,
  sideEffects: 'None',
  matchPolicy: 'Equivalent',
  admissionReviewVersions: ['v1'],
} as const;

/** The MutatingWebhookConfiguration as the component has it: without the certificates to trust, which the controller writes. */
export function webhookConfiguration(homes: Homes) {
  const enforcer = { 'admissions.enforcer/disabled': 'true' };
  return {
    apiVersion: ADMISSION_API_VERSION,
    kind: 'MutatingWebhookConfiguration',
    metadata: {
      name: webhookName,
      // The component is what an administrator finds all of the webhook by. The other is of AKS, which else edits the
      // selectors of every webhook.
      labels: { ...OPERATOR_LABELS, 'app.kubernetes.io/component': 'webhook', ...enforcer },
      annotations: enforcer,
    },
    webhooks: [
      {
        name: webhookName,
        clientConfig: { service: { ...service, path: webhookPaths.pods } },
        ...asking,
        reinvocationPolicy: 'IfNeeded',
        rules: [newPods()],
        namespaceSelector: {
          matchExpressions: [{ key: nameLabel, operator: 'NotIn', values: unasked(homes) }],
        },
        matchConditions: [
          // What nobody changes does not cost anybody a request.
          { name: 'may-be-changed', expression: `(${changeablePod}) ||\n${wasChanged}` },
        ],
      },
      {
        name: `pods.witness.${GROUP}`,
        clientConfig: { service: { ...service, path: webhookPaths.witness } },
        ...asking,
        reinvocationPolicy: 'Never',
        rules: [newPods()],
        namespaceSelector: { matchLabels: { [nameLabel]: homes.controller } },
        objectSelector: questionSelector,
        matchConditions: [question],
      },
    ],
  };
}
