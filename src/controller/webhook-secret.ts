import { CONTROLLER_NAME, OPERATOR_LABELS } from '../api/group.ts';
import type { KubeManifest, KubeObject } from '../kube/resource.ts';
import type { KeyPair, Pair } from '../ops/certificate.ts';
import { certificatesIn, readPair } from '../ops/certificate.ts';
import { ADMISSION_API_VERSION } from '../policy/admission.ts';
import type { Stored } from '../policy/record.ts';
import type { StoredWebhook } from './record.ts';

/** Where the webhook's certificate and its key are kept for all replicas; RBAC names it too. */
export const secretName = 'keepalive-webhook';

/** Undefined where it holds nothing that can be served by. */
export type StoredSecret = Stored<{ readonly pair: Pair | undefined }>;

const fields = { certificate: 'tls.crt', key: 'tls.key', authorities: 'ca.crt' } as const;

export function secretRecord({ metadata, data }: KubeObject): StoredSecret {
  const text = (field: keyof typeof fields) => {
    const value = ((data ?? {}) as Readonly<Record<string, unknown>>)[fields[field]];
    return typeof value === 'string' ? Buffer.from(value, 'base64').toString('utf8') : '';
  };
  const authorities = certificatesIn(text('authorities'));
  const pair = readPair({ certificate: text('certificate'), key: text('key'), authorities });
  return { uid: metadata.uid, pair };
}

/** It goes with the configuration of the webhook: neither an uninstallation nor a change to policies leaves it. */
export function secretManifest(
  { certificate, key, authorities }: KeyPair,
  { namespace, owner }: { readonly namespace: string; readonly owner: StoredWebhook },
): KubeManifest {
  const encoded = (text: string) => Buffer.from(text).toString('base64');
  const { name, uid } = owner;
  const reference = { apiVersion: ADMISSION_API_VERSION, kind: 'MutatingWebhookConfiguration', name, uid };
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: secretName, namespace, labels: OPERATOR_LABELS, ownerReferences: [reference] },
    data: {
      [fields.certificate]: encoded(certificate),
      [fields.key]: encoded(key),
      [fields.authorities]: encoded(authorities.join('')),
    },
  };
}

/** Whoever writes the certificates of the webhook: what it owns of the configuration is this alone. */
export const keysManager = `${CONTROLLER_NAME}-webhook`;
