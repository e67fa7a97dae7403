import { CONTROLLER_NAME, isComponent } from '../api/group.ts';
import type { KubeObject } from '../kube/resource.ts';

interface Container {
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: unknown }[];
}

interface Templated {
  readonly spec?: {
    readonly template?: { readonly spec?: { readonly containers?: readonly Container[] } };
  };
}

const flag = '--lease-name';

/** Of those that are controllers: for which Leases their replicas compete. Undefined for one whose name is kept somewhere else. */
export function leaseNames(deployments: readonly KubeObject[]): Set<string | undefined> {
  const controllers = deployments.filter(({ metadata }) => isComponent('controller', metadata.labels));
  return new Set(
    controllers.map((one) => leaseName((one as Templated).spec?.template?.spec?.containers ?? [])),
  );
}

/** As the controller reads it: a flag wins, the last of several does, and an empty variable is an unset one. */
function leaseName(containers: readonly Container[]): string | undefined {
  const words = containers.flatMap(({ command = [], args = [] }) => [...command, ...args]);
  const given = words.findLast((word, at) => word.startsWith(`${flag}=`) || words[at - 1] === flag);
  if (given !== undefined) return given.replace(`${flag}=`, '');
  const variable = containers.flatMap(({ env = [] }) => env).findLast(({ name }) => name === 'LEASE_NAME');
  return variable?.valueFrom === undefined ? variable?.value || CONTROLLER_NAME : undefined;
}
