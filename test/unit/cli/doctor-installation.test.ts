import { describe, expect, test } from '@jest/globals';

import { known } from '../../../src/cli/cluster.ts';
import { diagnose } from '../../../src/cli/diagnosis.ts';
import type { DoctorFacts } from '../../../src/cli/doctor-facts.ts';
import { staticAdmission } from '../../../src/policy/installation.ts';
import type { Sketch } from './diagnosed.ts';
import {
  agentSet,
  blind,
  deployment,
  failedCreate,
  fine,
  installedBy,
  object,
  objects,
  released,
} from './diagnosed.ts';

const may = (what: string) => ({ known: false, why: `you may not list ${what}` }) as const;
const upgrade = 'helm upgrade nets deploy/chart -n platform --reset-then-reuse-values';
const forced = `${upgrade} --server-side=true --force-conflicts (Helm 3: without the last two;`;
const install =
  'helm install keepalive deploy/chart -n keepalive-system --create-namespace --set image.registry=REGISTRY';

const helm = installedBy(released());
const flux = installedBy({
  ...released(),
  labels: { 'helm.toolkit.fluxcd.io/name': 'keepalive', 'helm.toolkit.fluxcd.io/namespace': 'flux-system' },
});
/** As Argo CD does, or `helm template`: there is a chart, and Helm knows of no release. */
const rendered = installedBy({ labels: released().labels });
const manifests: Partial<DoctorFacts> = {};
const nothing: Partial<DoctorFacts> = {
  ...{ deployments: objects(), daemonSets: objects(), pods: objects(), reports: objects() },
  ...{ mutatingPolicies: objects(), mutatingBindings: objects(), leases: objects() },
};

const todosOf = (check: string, facts: Partial<DoctorFacts>) =>
  diagnose({ ...fine, ...facts })
    .filter((one) => one.check === check && one.is === 'wrong')
    .map(({ todo }) => todo);

const withoutBinding: Partial<DoctorFacts> = { mutatingBindings: objects() };
const withoutKind: Partial<DoctorFacts> = { crds: { ...fine.crds, NodeKeepalive: known(undefined) } };
const otherKind: Partial<DoctorFacts> = {
  crds: { ...fine.crds, NodeKeepalive: known(object({ metadata: { name: 'other' } })) },
};
/** The events are about the DaemonSet, whoever installed it. */
const refused = (message: string): Partial<DoctorFacts> => ({ events: objects(failedCreate(message)) });
const noneReady = (facts: Partial<DoctorFacts>): Partial<DoctorFacts> => ({
  ...facts,
  daemonSets: objects({ ...agentSet(0), metadata: { ...agentSet(0).metadata, ...metadataOf(facts) } }),
});
const metadataOf = (facts: Partial<DoctorFacts>): object => {
  const set = facts.daemonSets?.known ? facts.daemonSets.value[0] : undefined;
  return set === undefined ? {} : { labels: set.metadata.labels, annotations: set.metadata.annotations };
};

describe('what is missing comes back the way it came', () => {
  test.each<[string, Partial<DoctorFacts>, string]>([
    ['by Helm', helm, forced],
    ['by Flux, of which a release is', flux, 'flux reconcile helmrelease keepalive -n flux-system --force'],
    ['by what renders the chart', rendered, 'have whatever applies the chart here'],
    ['by manifests', manifests, 'kubectl apply -k deploy/ (or your overlay of it'],
    [
      'by whatever it was, where that may not be read',
      { deployments: may('deployments'), daemonSets: may('daemonsets'), mutatingPolicies: objects() },
      'install it again the way it was installed',
    ],
  ])('%s', (_sentence, facts, expected) => {
    for (const todo of todosOf('admission', { ...facts, ...withoutBinding }))
      expect(todo).toContain(expected);
    expect(todosOf('admission', { ...facts, ...withoutBinding }).length).toBeGreaterThan(0);
  });

  test('where a controller was deleted, the release that the agents are of says it', () => {
    expect(todosOf('controller', { ...helm, deployments: objects() })).toEqual([
      expect.stringContaining(forced),
    ]);
  });

  test('where all that runs was deleted, the release that admission is of says it', () => {
    const [first, ...others] = staticAdmission.policies as readonly unknown[] as readonly Sketch[];
    const { annotations } = released();
    const policies = objects(
      { ...first, metadata: { ...first?.metadata, annotations } } as Sketch,
      ...others,
    );
    const facts = { deployments: objects(), daemonSets: objects(), mutatingPolicies: policies };
    expect(todosOf('controller', facts)).toEqual([expect.stringContaining(forced)]);
  });

  test('and where nothing is, there is one command', () => {
    expect(todosOf('controller', nothing)).toEqual([expect.stringContaining(install)]);
    expect(todosOf('definitions', { ...nothing, ...withoutKind })).toEqual([
      expect.stringContaining(install),
    ]);
    for (const todo of todosOf('admission', nothing)) expect(todo).toContain(install);
  });

  test('kinds that stayed when a release was uninstalled are no installation', () => {
    const { KeepalivePolicy } = fine.crds;
    const kept = { ...(KeepalivePolicy.known ? KeepalivePolicy.value : {}) };
    const crds = {
      ...fine.crds,
      KeepalivePolicy: known(object({ ...kept, metadata: { name: 'kaps', ...released() } })),
    };
    expect(todosOf('controller', { ...nothing, crds })).toEqual([expect.stringContaining(install)]);
  });
});

describe('kinds come', () => {
  test.each<[string, Partial<DoctorFacts>, string]>([
    ['with the release', helm, `${forced}`],
    ['or beside it', helm, 'with crds.enabled=false: kubectl apply -k crds/'],
    ['by the manifests', manifests, 'kubectl apply -k crds/'],
  ])('%s', (_sentence, facts, expected) => {
    expect(todosOf('definitions', { ...facts, ...withoutKind })).toEqual([expect.stringContaining(expected)]);
  });

  test('of the version that runs, by a release of it', () => {
    expect(todosOf('definitions', { ...helm, ...otherKind })).toEqual([expect.stringContaining(upgrade)]);
    expect(todosOf('definitions', otherKind)).toEqual([expect.stringContaining('apply the crds/')]);
  });
});

describe('what a platform asks for is named as the installation names it', () => {
  const scc = 'pods "x" is forbidden: unable to validate against any security context constraint';
  const pss = 'pods "x" is forbidden: violates PodSecurity "baseline:latest"';
  const quota = 'pods "x" is forbidden: insufficient quota to match these scopes';
  test.each<[string, Partial<DoctorFacts>, string, string]>([
    ['OpenShift, with Helm', helm, scc, `${upgrade} --set openshift.enabled=true`],
    [
      'OpenShift, with Flux',
      flux,
      scc,
      'openshift.enabled=true among the values of HelmRelease flux-system/keepalive',
    ],
    ['OpenShift, with what renders the chart', rendered, scc, 'with openshift.enabled=true among its values'],
    ['OpenShift, with manifests', manifests, scc, 'take the component deploy/components/openshift'],
    ['Pod Security, with Helm', helm, pss, `${upgrade} --set agent.enabled=false`],
    ['Pod Security, with manifests', manifests, pss, 'deploy/components/controller-only'],
    ['a quota, with Helm', helm, quota, `${upgrade} --set agent.resourceQuota.enabled=true`],
    ['a quota, with manifests', manifests, quota, 'kubectl apply -k deploy/'],
  ])('%s', (_sentence, facts, message, expected) => {
    const todos = todosOf('agents', { ...noneReady(facts), ...refused(message) });
    expect(todos).toContainEqual(expect.stringContaining(expected));
  });

  test('and so are agents that nobody runs any more', () => {
    expect(todosOf('agents', { ...helm, daemonSets: objects(), pods: objects() })).toEqual([
      expect.stringContaining(`${upgrade} --set agent.enabled=true`),
    ]);
  });

  test('and the webhook, which the API server of an older version needs', () => {
    const old = { admissionKinds: known(['validatingadmissionpolicies']) };
    expect(todosOf('admission', { ...helm, ...old })).toEqual([
      expect.stringContaining(`${upgrade} --set admission=auto`),
    ]);
    expect(todosOf('admission', old)).toEqual([expect.stringContaining('deploy/components/webhook')]);
  });
});

test('whoever may read nothing is told nothing of how it was installed', () => {
  expect(diagnose({ ...fine, ...blind }).filter(({ todo }) => todo !== undefined)).toEqual([]);
});

test('of the Deployment of somebody else nothing is read', () => {
  const other: Sketch = {
    ...deployment(1, 1),
    metadata: { name: 'other', namespace: 'platform', ...released() },
  };
  const facts = { deployments: objects(other, deployment(2, 2)), ...withoutBinding };
  for (const todo of todosOf('admission', facts)) expect(todo).toContain('kubectl apply -k deploy/');
});
