import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from '@jest/globals';

import type { Answer } from '../../../src/cli/cluster.ts';
import { known } from '../../../src/cli/cluster.ts';
import { accountsOf, identityOf, isNamed, openShift } from '../../../src/cli/doctor-scc.ts';
import { witnessPod } from '../../../src/policy/witness.ts';
import { manifestsOf } from '../../support/manifest.ts';
import { privileged, restricted } from '../../support/openshift.ts';
import type { Sketch } from './diagnosed.ts';
import { fine, object, objects } from './diagnosed.ts';

const installed = readFileSync(join(import.meta.dirname, '../../../deploy/agent.yaml'), 'utf8');
const agents = manifestsOf(installed).find(({ kind }) => kind === 'DaemonSet') as unknown as Installed;

interface Installed extends Sketch {
  readonly spec: { readonly template: { readonly metadata: object; readonly spec: Pod } };
}
interface Pod {
  readonly containers: readonly { readonly securityContext: object }[];
}

/** The agents of deploy/agent.yaml, with a pod that somebody changed. */
function changed(change: (pod: Pod) => object): Sketch {
  const { template } = agents.spec;
  return {
    ...agents,
    spec: { template: { ...template, spec: { ...template.spec, ...change(template.spec) } } },
  };
}

/** What RBAC says of the constraints, by their name; nothing said is no. */
type Allowed = Readonly<Record<string, Answer<boolean>>>;

function told(
  constraints: readonly Sketch[],
  { rbac = {}, set = agents }: { rbac?: Allowed; set?: Sketch } = {},
) {
  const accounts = accountsOf([object(set)]);
  const all = constraints.map(object).map((one) => {
    const of = (account: (typeof accounts)[number]) =>
      isNamed(one, account) ? known(true) : (rbac[one.metadata.name] ?? known(false));
    return { object: one, mayUse: new Map(accounts.map((each) => [identityOf(each).user, of(each)])) };
  });
  return openShift({ ...fine, daemonSets: objects(set), constraints: known(all) });
}

const user = 'system:serviceaccount:keepalive-agent:keepalive-agent';
/** No more than the agents ask for. */
const narrow: Sketch = {
  metadata: { name: 'agents' },
  ...{ allowHostPID: true, allowHostDirVolumePlugin: true, volumes: ['hostPath', 'projected'] },
  allowedCapabilities: ['SYS_ADMIN', 'SYS_PTRACE', 'DAC_READ_SEARCH', 'NET_ADMIN'],
  ...{ runAsUser: { type: 'MustRunAs', uid: 0 }, seccompProfiles: ['runtime/default'] },
  seLinuxContext: { type: 'MustRunAs', seLinuxOptions: { type: 'spc_t' } },
  users: [user],
};

test('the pod by which the controller asks whether admission answers is one that OpenShift lets everybody make', () => {
  const { metadata } = agents.spec.template;
  const set = { ...agents, spec: { template: { metadata, spec: witnessPod([]).spec } } };
  const [statement] = told([restricted], { set, rbac: { 'restricted-v2': known(true) } });
  expect(statement?.text).toContain('by SecurityContextConstraints restricted-v2');
});

describe('OpenShift lets the agents run', () => {
  test.each<[string, Sketch, Allowed]>([
    ['by a role, as the component binds it', privileged, { privileged: known(true) }],
    ['that are named themselves', { ...privileged, users: [user] }, {}],
    ['whose namespace is named', { ...privileged, groups: ['system:serviceaccounts:keepalive-agent'] }, {}],
    ['as everybody', { ...privileged, groups: ['system:authenticated'] }, {}],
    ['by constraints that allow no more than they ask', narrow, {}],
    ['where no list of volumes allows all', { ...narrow, volumes: null }, {}],
    ['where a secret may be mounted, and so the token', { ...narrow, volumes: ['secret'] }, {}],
    [
      'as users of a range',
      { ...narrow, runAsUser: { type: 'MustRunAsRange', uidRangeMin: 0, uidRangeMax: 9 } },
      {},
    ],
    ['with seccomp by its older name', { ...narrow, seccompProfiles: ['docker/default'] }, {}],
    [
      'with capabilities that every pod is given',
      { ...narrow, allowedCapabilities: null, defaultAddCapabilities: narrow.allowedCapabilities },
      {},
    ],
  ])('%s', (_sentence, constraints, rbac) => {
    expect(told([restricted, constraints], { rbac })).toEqual([
      {
        is: 'fine',
        text: `OpenShift lets the agents run, by SecurityContextConstraints ${constraints.metadata.name}`,
      },
    ]);
  });
});

describe('OpenShift refuses the agents by', () => {
  const [first] = agents.spec.template.spec.containers;
  const context = (more: object) => ({
    containers: [{ ...first, securityContext: { ...first?.securityContext, ...more } }],
  });

  test.each<[string, object, string]>([
    ['process numbers of the host', { allowHostPID: false }, 'hostPID (allowHostPID)'],
    [
      'folders of the host, whatever the list of volumes says',
      { allowHostDirVolumePlugin: false, volumes: ['*'] },
      'hostPath volumes (allowHostDirVolumePlugin)',
    ],
    ['the volume of the token', { volumes: ['hostPath', 'emptyDir'] }, 'projected volumes (volumes)'],
    [
      'one capability',
      { allowedCapabilities: ['SYS_ADMIN', 'SYS_PTRACE', 'DAC_READ_SEARCH'] },
      'NET_ADMIN (allowedCapabilities)',
    ],
    [
      'all capabilities',
      { allowedCapabilities: null },
      'SYS_ADMIN, SYS_PTRACE, DAC_READ_SEARCH, NET_ADMIN (allowedCapabilities)',
    ],
    ['the user, who is not to be root', { runAsUser: { type: 'MustRunAsNonRoot' } }, 'user 0 (runAsUser)'],
    ['the user, who is another', { runAsUser: { type: 'MustRunAs', uid: 1000 } }, 'user 0 (runAsUser)'],
    [
      'the user, who is one of the namespace',
      { runAsUser: { type: 'MustRunAsRange' } },
      'user 0 (runAsUser)',
    ],
    ['the user, of whom nothing is said', { runAsUser: undefined }, 'user 0 (runAsUser)'],
    [
      'the type of SELinux, which is another',
      { seLinuxContext: { type: 'MustRunAs', seLinuxOptions: { type: 'container_t' } } },
      'SELinux type spc_t (seLinuxContext)',
    ],
    [
      'the type of SELinux, which is the one of the namespace',
      { seLinuxContext: { type: 'MustRunAs' } },
      'SELinux type spc_t (seLinuxContext)',
    ],
    [
      'the profile of seccomp',
      { seccompProfiles: null },
      'seccomp profile runtime/default (seccompProfiles)',
    ],
  ])('%s', (_sentence, change, words) => {
    expect(told([{ ...narrow, ...change }])).toEqual([
      {
        is: 'wrong',
        text: `OpenShift refuses the agents: service account keepalive-agent/keepalive-agent may use no SecurityContextConstraints that allow them: agents forbids ${words}`,
        todo: 'have agents allow it: oc edit scc agents',
      },
    ]);
  });

  test.each<[string, (pod: Pod) => object, string]>([
    ['the network of the host', () => ({ hostNetwork: true }), 'hostNetwork (allowHostNetwork)'],
    ['memory of the host', () => ({ hostIPC: true }), 'hostIPC (allowHostIPC)'],
    [
      'a container that is privileged',
      () => context({ privileged: true }),
      'privileged containers (allowPrivilegedContainer)',
    ],
    [
      'a profile of its own',
      () => context({ seccompProfile: { type: 'Localhost', localhostProfile: 'a.json' } }),
      'seccomp profile localhost/a.json (seccompProfiles)',
    ],
    ['another volume', () => ({ volumes: [{ name: 'a', secret: {} }] }), 'secret volumes (volumes)'],
  ])('%s that an overlay gave them', (_sentence, change, words) => {
    const [statement] = told([narrow], { set: changed(change) });
    expect([statement?.is, statement?.text]).toEqual([
      'wrong',
      expect.stringContaining(`agents forbids ${words}`),
    ]);
    expect(told([privileged], { set: changed(change), rbac: { privileged: known(true) } })).toMatchObject([
      { is: 'fine' },
    ]);
  });

  test('what they may use, and says which would do, and how they get it', () => {
    const [statement] = told([privileged, restricted], { rbac: { 'restricted-v2': known(true) } });
    expect(statement).toEqual({
      is: 'wrong',
      text: expect.stringMatching(
        /may use no SecurityContextConstraints that allow them: restricted-v2 forbids hostPID \(allowHostPID\), hostPath volumes \(.*\), SYS_ADMIN, .*, user 0 \(runAsUser\), SELinux type spc_t \(seLinuxContext\)$/,
      ) as unknown,
      todo: 'take the component openshift of deploy/components into your overlay (in the chart openshift.enabled), or: oc adm policy add-scc-to-user privileged -z keepalive-agent -n keepalive-agent',
    });
  });

  test('everything where they may use none', () => {
    const [statement] = told([privileged, { ...narrow, users: null }]);
    expect(statement?.text).toMatch(/may use no SecurityContextConstraints that allow them$/);
    expect(statement?.todo).toContain('add-scc-to-user privileged');
  });

  test('what privileged was edited to forbid, and names others that would do', () => {
    const edited = { ...privileged, allowHostPID: false };
    const [statement] = told([edited, { ...narrow, users: [] }], { rbac: { privileged: known(true) } });
    expect(statement?.text).toMatch(/: privileged forbids hostPID \(allowHostPID\)$/);
    expect(statement?.todo).toContain('add-scc-to-user agents -z keepalive-agent');
  });
});

describe('of OpenShift is unknown', () => {
  const why = { known: false, why: 'you may not ask what others may do' } as const;

  test('whether the agents may run where nobody may ask for them', () => {
    expect(told([privileged, restricted], { rbac: { privileged: why } })).toEqual([
      { is: 'unknown', text: 'whether OpenShift lets the agents run: you may not ask what others may do' },
    ]);
  });

  test('nothing where one is seen that they may use, or only such that would not do', () => {
    expect(told([privileged, narrow], { rbac: { privileged: why } })).toMatchObject([{ is: 'fine' }]);
    expect(told([restricted], { rbac: { 'restricted-v2': why } })).toMatchObject([{ is: 'wrong' }]);
  });
});

test('nothing is said of OpenShift where there is none, or no agent', () => {
  expect(openShift({ ...fine, daemonSets: objects(agents) })).toEqual([]);
  const none = { ...fine, daemonSets: objects(), constraints: known([]) };
  expect(openShift(none)).toEqual([]);
});
