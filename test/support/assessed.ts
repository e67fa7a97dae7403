import type { Assessment, Counted } from '../../src/policy/assess.ts';
import { assess } from '../../src/policy/assess.ts';
import { placeIn } from '../../src/policy/census.ts';
import { contributionOf, podFindingsOf } from '../../src/policy/contribution.ts';
import { PolicyCount } from '../../src/policy/count.ts';
import { Crowd } from '../../src/policy/crowd.ts';
import { isLeft } from '../../src/policy/judgement.ts';
import type { PodView } from '../../src/policy/pod.ts';
import type { EffectivePolicy } from '../../src/policy/policy.ts';
import { selectsNamespace } from '../../src/policy/policy.ts';
import { RivalCount } from '../../src/policy/rival-count.ts';
import { MatchMemory } from '../../src/policy/match-memory.ts';
import type { NodeFacts } from '../../src/policy/rollup.ts';
import type { Surroundings } from './recount.ts';
import type { PlainFacts } from './recount-nodes.ts';

type Plain = Omit<Surroundings, 'generation' | 'digest'>;

/** What a controller has counted of a policy once it has seen all that is there. */
export function countedOf(policy: EffectivePolicy, plain: Plain): Counted {
  const { others, facts, givenSince = () => undefined } = plain;
  const neighbourhoods = [...plain.neighbourhoods].map(({ namespace, pods }) => ({
    namespace,
    pods: [...pods],
  }));
  const pods = new Map<string, PodView>();
  const byNamespace = new Map<string, Set<string>>();
  for (const { namespace, pods: here } of neighbourhoods)
    here.forEach((pod, index) => {
      const key = `${pod.namespace}/${pod.name}#${index}`;
      pods.set(key, pod);
      byNamespace.set(namespace.name, (byNamespace.get(namespace.name) ?? new Set()).add(key));
    });
  const count = new PolicyCount(policy, givenSince, {
    podsIn: (name) => byNamespace.get(name) ?? new Set(),
    pod: (key) => pods.get(key),
    namespace: (name) => neighbourhoods.find(({ namespace }) => namespace.name === name)?.namespace,
  });
  for (const { namespace } of neighbourhoods) count.namespaceChanged(namespace.name);
  exhaust(count.settle());
  const rivals = new RivalCount(policy);
  others.forEach((_, index) => {
    rivals.doubt(String(index));
  });
  const memory = new MatchMemory(1024 ** 2);
  const crowds = neighbourhoods.map(({ namespace, pods: here }) => {
    const crowd = new Crowd(memory);
    for (const pod of here) {
      const isSilent = pod.node === undefined || !facts.isReporting(pod.node);
      if (pod.live && !isLeft(pod, namespace, isSilent)) crowd.change(pod, 1);
    }
    return { namespace, crowd };
  });
  const settling = rivals.settle({
    policyOf: (key) => others[Number(key)],
    namespacesOf: () => crowds.map((_, index) => String(index)),
    sharedIn: (index) => (one, other) => {
      const here = crowds[Number(index)];
      const isOfBoth = here && [one, other].every((each) => selectsNamespace(each, here.namespace));
      return isOfBoth ? here.crowd.sharedBy(one, other) : 0;
    },
  });
  exhaust(settling);
  return {
    census: count.census,
    rivals: rivals.list(),
    *podsAt(place) {
      for (const [key, pod] of pods) {
        const basis = placeIn(pod) === place ? count.basisOf(pod.namespace, key) : undefined;
        if (basis !== undefined) yield { pod, basis };
      }
    },
    toldOn: (node) => {
      const report = facts.reportOf(node);
      return report === undefined ? [] : podFindingsOf(node, report);
    },
  };
}

export function folded(facts: PlainFacts): NodeFacts {
  return {
    ...facts,
    reportOf: (node) => {
      const report = facts.reportOf(node);
      return report && contributionOf(node, report);
    },
  };
}

/** As the controller assesses a policy, from all that is there. */
export function assessed(policy: EffectivePolicy, plain: Surroundings): Assessment {
  const { generation, silentIn } = plain;
  return assess(policy, {
    ...{ edition: { generation, digest: plain.digest ?? 1 }, counted: countedOf(policy, plain) },
    facts: folded(plain.facts),
    ...(silentIn === undefined ? {} : { silentIn }),
  });
}

function exhaust(steps: Generator<void>): void {
  while (!steps.next().done);
}
