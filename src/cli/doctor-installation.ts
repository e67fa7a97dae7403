import { isComponent } from '../api/group.ts';
import type { KubeObject } from '../kube/resource.ts';
import { staticAdmission } from '../policy/installation.ts';
import { installPage } from '../policy/remedy.ts';
import { valueOr } from './cluster.ts';
import type { DoctorFacts } from './doctor-facts.ts';
import { installCommand } from './install-command.ts';

/** What an installation has and another has not, by the names that an overlay and the chart have for it. */
export interface Option {
  /** A folder of deploy/components; without one the manifests have it of themselves. */
  readonly component?: string;
  /** As `--set` takes it. */
  readonly value: string;
}

type Way = (option: Option | undefined) => string;

/**
 * How to bring back what is missing or was edited, or to add an option. It has to go the way by which the operator came: manifests
 * that are applied over a release of Helm take its image and its settings away, and make Helm refuse the next upgrade.
 */
export function again(facts: DoctorFacts, option?: Option): string {
  return wayOf(facts)(option);
}

/** The same for kinds, which may also be installed apart. */
export function kindsAgain(facts: DoctorFacts): string {
  const way = wayOf(facts);
  if (way === byManifests) return applyKinds;
  return way === byNobody ? way(undefined) : `${way(undefined)}; with crds.enabled=false: ${applyKinds}`;
}

/** The same for kinds that are of another version than this tool. */
export function kindsOfItsVersion(facts: DoctorFacts): string {
  return wayOf(facts) === byManifests
    ? 'apply the crds/ of the version of the operator that runs, or use the tool of that version'
    : `${kindsAgain(facts)}. Or use the tool of the version of the operator that runs`;
}

const applyKinds = 'kubectl apply -k crds/';

function wayOf(facts: DoctorFacts): Way {
  const { objects, isAll } = installed(facts);
  const ways = objects.map(({ metadata }) => chartWay(metadata) ?? byManifests);
  const byChart = ways.find((way) => way !== byManifests);
  return byChart ?? ways[0] ?? (isAll ? byNobody : byWhatever);
}

/** All that goes with an uninstallation; the kinds may stay. */
function installed(facts: DoctorFacts): { objects: readonly KubeObject[]; isAll: boolean } {
  const { deployments, daemonSets, mutatingPolicies, webhook } = facts;
  const ofAdmission = new Set(staticAdmission.policies.map(({ metadata }) => metadata.name));
  const hook = valueOr(webhook, undefined);
  return {
    objects: [
      ...valueOr(deployments, []).filter(({ metadata }) => isComponent('controller', metadata.labels)),
      ...valueOr(daemonSets, []).filter(({ metadata }) => isComponent('agent', metadata.labels)),
      ...valueOr(mutatingPolicies, []).filter(({ metadata }) => ofAdmission.has(metadata.name)),
      ...(hook === undefined ? [] : [hook]),
    ],
    isAll: [deployments, daemonSets, mutatingPolicies, webhook].every((one) => one.known),
  };
}

/** Undefined: it did not come by the chart. */
function chartWay({ labels = {}, annotations = {} }: KubeObject['metadata']): Way | undefined {
  const [release, home] = ['name', 'namespace'].map((key) => annotations[`meta.helm.sh/release-${key}`]);
  const [flux, fluxHome] = ['name', 'namespace'].map((key) => labels[`helm.toolkit.fluxcd.io/${key}`]);
  if (flux !== undefined && fluxHome !== undefined) return byFlux({ name: flux, namespace: fluxHome });
  if (release !== undefined && home !== undefined) return byHelm({ name: release, namespace: home });
  return labels['app.kubernetes.io/managed-by'] === 'Helm' ? byTemplate : undefined;
}

interface Named {
  readonly name: string;
  readonly namespace: string;
}

const byHelm =
  ({ name, namespace }: Named): Way =>
  (option) =>
    `helm upgrade ${name} deploy/chart -n ${namespace} --reset-then-reuse-values${setting(option)} --server-side=true --force-conflicts ` +
    '(Helm 3: without the last two; deploy/chart of the version that is installed, or wherever you have the chart from)';

const byFlux =
  ({ name, namespace }: Named): Way =>
  (option) =>
    option === undefined
      ? `flux reconcile helmrelease ${name} -n ${namespace} --force`
      : `put ${option.value} among the values of HelmRelease ${namespace}/${name}, where Flux has it from`;

const byTemplate: Way = (option) =>
  `have whatever applies the chart here (Argo CD, for instance) apply it again${option === undefined ? '' : `, with ${option.value} among its values`}`;

const byManifests: Way = (option) =>
  option?.component === undefined
    ? 'kubectl apply -k deploy/ (or your overlay of it, by whatever applies it here)'
    : `take the component deploy/components/${option.component} into your overlay, and apply it`;

const byNobody: Way = (option) =>
  `${installCommand}${setting(option)} (the image, and without Helm: docs/install.md)`;

const byWhatever: Way = (option) =>
  `install it again the way it was installed (${installPage})${option === undefined ? '' : `, with ${named(option)}`}`;

const setting = (option: Option | undefined) => (option === undefined ? '' : ` --set ${option.value}`);
const named = ({ component, value }: Option) =>
  component === undefined
    ? `${value} of the chart`
    : `the component deploy/components/${component}, or ${value} of the chart`;
