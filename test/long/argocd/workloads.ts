import { stringify } from 'yaml';

import { sleeper } from '../../e2e/shared.ts';

const labels = { app: 'mongo' };
const { spec } = sleeper('any', 'db');
const template = { metadata: { labels }, spec };
const selector = { matchLabels: labels };
const metadata = (name: string) => ({ name, namespace: 'db' });

/** Annotations of the Deployment, and the security context of the Pod. */
interface Extras {
  readonly annotations?: Readonly<Record<string, string>>;
  readonly securityContext?: object;
}

/** What a team has in Git beside its policies, a Pod that nobody makes from a template among it. */
export const workloads = ({ annotations = {}, ...ofPod }: Extras = {}) =>
  [
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { ...metadata('web'), annotations },
      spec: { replicas: 2, selector, template },
    },
    {
      ...{ apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: metadata('mongo') },
      spec: { serviceName: 'mongo', selector, template },
    },
    sleeper('solo', 'db', { labels, spec: ofPod }),
    {
      ...{ apiVersion: 'batch/v1', kind: 'Job', metadata: metadata('once') },
      spec: {
        template: {
          metadata: { labels },
          spec: {
            ...spec,
            restartPolicy: 'Never',
            containers: spec.containers.map((one) => ({ ...one, command: ['true'] })),
          },
        },
      },
    },
  ]
    .map((object) => stringify(object, { aliasDuplicateObjects: false }))
    .join('---\n');
