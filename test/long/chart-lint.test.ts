import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { defaultKubernetes } from '../cluster/version.ts';
import { buildHelms, buildMs, chart, helm, helmNames, renderedText } from '../support/helm.ts';
import type { Critical } from '../support/kube-score.ts';
import { criticalIn, kubeScoreProgram } from '../support/kube-score.ts';
import { conformity, faultsOf, kubeconformProgram } from '../support/kubeconform.ts';
import { kindSchemas } from '../support/kind-schemas.ts';
import { builtText, kustomizeProgram } from '../support/kustomize.ts';
import { Overlays } from '../support/overlay.ts';
import { chartValues, overlays } from '../support/renderings.ts';

/** The oldest that the chart says it is for, and the one that everything is tested on. */
const kubernetes = ['1.33.13', defaultKubernetes];
const folders = new Overlays();

beforeAll(async () => {
  await buildHelms();
  for (const program of [kustomizeProgram, kubeconformProgram, kubeScoreProgram]) await program();
  for (const version of kubernetes) await kindSchemas(version);
}, buildMs);
afterAll(() => {
  folders.remove();
});

const overlay = (name: string) => {
  const components = overlays[name] ?? [];
  return builtText(folders.write(`${name}-${crypto.randomUUID()}`, { components }));
};

describe.each(helmNames)('the chart, by %s', (name) => {
  describe.each(Object.entries(chartValues))('with %s', (_what, values) => {
    test('is not complained of by its linter', async () => {
      const said = await helm(name, [
        'lint',
        '--strict',
        '--kube-version',
        defaultKubernetes,
        ...values,
        chart,
      ]);
      expect(said).toContain('1 chart(s) linted, 0 chart(s) failed');
    });

    test.each(kubernetes)('has no object and no field that Kubernetes %s does not know', async (version) => {
      const judged = await conformity(
        await renderedText(name, ['--kube-version', version, ...values]),
        version,
      );
      expect(judged.length).toBeGreaterThan(20);
      expect(faultsOf(judged)).toEqual([]);
    });
  });
});

describe.each(Object.keys(overlays))('kustomize: %s', (name) => {
  const served = overlays[name]?.includes('webhook') === true ? kubernetes : [defaultKubernetes];
  test.each(served)('has no object and no field that Kubernetes %s does not know', async (version) => {
    const judged = await conformity(await overlay(name), version);
    expect(judged.length).toBeGreaterThan(20);
    expect(faultsOf(judged)).toEqual([]);
  });
});

test.each([
  ['a field by a wrong name', 'topologyKey:', 'topologieKey:', "'topologieKey' not allowed"],
  ['a number as text', 'periodSeconds: 10', "periodSeconds: '10'", 'got string, want integer'],
  ['a field that is there twice', 'hostPID: true', 'hostPID: true\n      hostPID: true', 'already'],
  ['a kind that is not served', 'kind: DaemonSet', 'kind: NodeSet', 'could not find schema for NodeSet'],
])('%s would be found', async (_what, right, wrong, told) => {
  const text = await renderedText('Helm 4');
  expect(text).toContain(right);
  const faults = faultsOf(await conformity(text.replace(right, wrong), defaultKubernetes));
  expect(faults).toEqual([expect.stringContaining(told)]);
});

test('policies instead of the webhook would be found on a Kubernetes that does not serve them', async () => {
  const text = await renderedText('Helm 4', ['--set', 'admission=policy']);
  const faults = faultsOf(await conformity(text, '1.33.13'));
  const kinds = faults.map((fault) => fault.split(' ')[0]);
  expect([...new Set(kinds)].sort()).toEqual(['MutatingAdmissionPolicy', 'MutatingAdmissionPolicyBinding']);
});

/** Something that kube-score calls critical, in its words, and that is meant. */
interface Answer {
  readonly check: string;
  readonly said: readonly string[];
  /** Whose pods it is said of. */
  readonly of: readonly ('Deployment' | 'DaemonSet')[];
  /** Only of what is rendered under such a name; of all, unless it is told. */
  readonly where?: RegExp;
  readonly because: string;
}

const both = ['Deployment', 'DaemonSet'] as const;
const lowId = ['The container is running with a low user ID', 'The container running with a low group ID'];
const answers: readonly Answer[] = [
  {
    ...{ check: 'container-resources', of: both, said: ['CPU limit is not set'] },
    because:
      'it would hold them back while the node has time to spare; memory, of which that is not so, has one',
  },
  {
    ...{ check: 'container-ephemeral-storage-request-and-limit', of: both },
    said: ['Ephemeral Storage limit is not set', 'Ephemeral Storage request is not set'],
    because:
      'they write no file of their own; what is left is their log, which kubelets turn over and for which no agent should be evicted',
  },
  {
    ...{ check: 'container-image-pull-policy', of: both, said: ['ImagePullPolicy is not set to Always'] },
    because:
      'a release names its image by digest, and a node has to start its agent while no registry answers',
  },
  {
    ...{ check: 'pod-networkpolicy', of: both, said: ['The pod does not have a matching NetworkPolicy'] },
    where: /^(?!everything)/,
    because:
      'who asks for metrics and where the API server listens is another in each cluster: networkPolicy.enabled',
  },
  {
    ...{ check: 'container-security-context-user-group-id', of: ['DaemonSet'], said: lowId },
    because: 'an agent writes values of the kernel, which are root’s',
  },
  {
    ...{ check: 'container-security-context-user-group-id', of: ['Deployment'], said: lowId },
    where: /openshift|everything/i,
    because:
      'constraints of OpenShift give the controller a user of its namespace, and refuse one that it brings',
  },
];

describe('kube-score', () => {
  const used = new Set<Answer>();
  /** What is said of what is rendered under that name, and not answered. */
  const unanswered = async (what: string, text: string): Promise<Critical[]> => {
    const critical = await criticalIn(text);
    return critical.filter(({ check, object, said }) => {
      const answer = answers.find(
        (one) =>
          one.check === check &&
          one.of.some((kind) => object.startsWith(`${kind} `)) &&
          (one.where?.test(what) ?? true),
      );
      if (answer !== undefined) used.add(answer);
      return !said.every((words) => answer?.said.includes(words));
    });
  };

  test.each(Object.entries(chartValues))(
    'finds nothing critical in the chart with %s',
    async (what, values) => {
      expect(await unanswered(what, await renderedText('Helm 4', values))).toEqual([]);
    },
  );

  test.each(Object.keys(overlays))('finds nothing critical in what kustomize builds: %s', async (name) => {
    expect(await unanswered(name, await overlay(name))).toEqual([]);
  });

  test('is answered nothing that it does not say', () => {
    expect(answers.filter((answer) => !used.has(answer))).toEqual([]);
  });

  test.each([
    ['memory without a limit', 'agent.resources.limits=null', 'container-resources'],
    [
      'replicas that a drain may take at once',
      'controller.podDisruptionBudget.enabled=false',
      'deployment-has-poddisruptionbudget',
    ],
  ])('would find %s', async (_what, value, check) => {
    const left = await unanswered('default values', await renderedText('Helm 4', ['--set-json', value]));
    expect(left).toMatchObject([{ check }]);
  });
});
