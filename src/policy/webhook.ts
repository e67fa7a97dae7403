import { GROUP, OPERATOR_LABELS } from '../api/group.ts';
import { ADMISSION_API_VERSION, changeablePod, newPods, wasChanged } from './admission.ts';
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

/** By names and labels that the API server and the manifests give to namespaces; an overlay renames none of them. */
const nameLabel = 'kubernetes.io/metadata.name';
const [operatorLabel, operatorName] = Object.entries(OPERATOR_LABELS)[0] ?? ['', ''];
/** Nothing of the cluster's own, and nothing of ours, waits for us to start. */
const otherNamespaces = {
  matchExpressions: [
    { key: nameLabel, operator: 'NotIn', values: ['kube-system'] },
    { key: operatorLabel, operator: 'NotIn', values: [operatorName] },
  ],
} as const;

/** Whether new pods of a namespace pass without being asked about, whatever policies say. */
export function isExcluded(labels: Readonly<Record<string, string>>): boolean {
  return labels[nameLabel] === 'kube-system' || labels[operatorLabel] === operatorName;
}

const asking = {
  // A pod is never refused because of us, and waits for a second at the longest.
  failurePolicy: 'Ignore',
  timeoutSeconds: 1,
  sideEffects: 'None',
  matchPolicy: 'Equivalent',
  admissionReviewVersions: ['v1'],
} as const;

/** The MutatingWebhookConfiguration as the component has it: without the certificates to trust, which the controller writes. */
export function webhookConfiguration() {
  const enforcer = { 'admissions.enforcer/disabled': 'true' };
  return {
    apiVersion: ADMISSION_API_VERSION,
    kind: 'MutatingWebhookConfiguration',
    metadata: {
      name: webhookName,
      // Of AKS, which else edits the selectors of every webhook.
      labels: { ...OPERATOR_LABELS, ...enforcer },
      annotations: enforcer,
    },
    webhooks: [
      {
        name: webhookName,
        clientConfig: { service: { ...service, path: webhookPaths.pods } },
        ...asking,
        reinvocationPolicy: 'IfNeeded',
        rules: [newPods()],
        namespaceSelector: otherNamespaces,
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
        namespaceSelector: { matchLabels: OPERATOR_LABELS },
        objectSelector: questionSelector,
        matchConditions: [question],
      },
    ],
  };
}
