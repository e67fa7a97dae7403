import { CONTROLLER_NAME, isComponent } from '../api/group.ts';
import type { KubeObject } from '../kube/resource.ts';

interface Container {
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly Variable[];
  readonly envFrom?: readonly unknown[];
}

interface Variable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: unknown;
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
  return new Set(controllers.map((one) => leaseName(containersOf(one))));
}

/** Of a Deployment. */
export function containersOf(deployment: KubeObject): readonly Container[] {
  return (deployment as Templated).spec?.template?.spec?.containers ?? [];
}

/** As the controller reads it: a flag wins, the last of several does, and an empty variable is an unset one. */
function leaseName(containers: readonly Container[]): string | undefined {
  const words = containers.flatMap(({ command = [], args = [] }) => [...command, ...args]);
  const given = words.findLast((word, at) => word.startsWith(`${flag}=`) || words[at - 1] === flag);
  if (given !== undefined) return written(given.replace(`${flag}=`, ''));
  const variable = containers.flatMap(({ env = [] }) => env).findLast(({ name }) => name === 'LEASE_NAME');
  return variable === undefined ? unnamed(containers) : ofVariable(variable);
}

function ofVariable({ value, valueFrom }: Variable): string | undefined {
  return valueFrom === undefined ? written(value || CONTROLLER_NAME) : undefined;
}

/** A variable of any name may come from there. */
function unnamed(containers: readonly Container[]): string | undefined {
  return containers.some(({ envFrom = [] }) => envFrom.length > 0) ? undefined : CONTROLLER_NAME;
}

/** The kubelet puts the value of X where a word says `$(X)`. */
function written(word: string): string | undefined {
  return word.includes('$(') ? undefined : word;
}
