import { describe, expect, test } from '@jest/globals';

import { diagnose } from '../../../src/cli/diagnosis.ts';
import type { DoctorFacts } from '../../../src/cli/doctor-facts.ts';
import { blind, fine, objects } from './diagnosed.ts';

describe('unknown, and not fine, is', () => {
  const may = (what: string) => ({ known: false, why: `you may not list ${what}` }) as const;
  const labelled = (labels: object) => objects({ metadata: { name: 'old', labels } });
  const enforce = 'pod-security.kubernetes.io/enforce';

  test.each<[string, Partial<DoctorFacts>, string]>([
    [
      'whether Pod Security refuses agents that may not be read',
      { daemonSets: may('daemonsets'), namespaces: labelled({ [enforce]: 'baseline' }) },
      'Pod Security: whether Pod Security refuses the agents: you may not list daemonsets',
    ],
    [
      'whether it refuses the values of policies that may not be read',
      {
        policies: may('keepalivepolicies'),
        namespaces: labelled({ [enforce]: 'baseline', [`${enforce}-version`]: 'v1.28' }),
      },
      'Pod Security: whether policies select pods in old, where Pod Security forbids the sysctls: you may not list keepalivepolicies',
    ],
    [
      'whether clocks agree of nodes that may not be read',
      { nodes: may('nodes') },
      'clocks: whether the clocks of nodes agree: you may not list nodes',
    ],
    [
      'whether the clock of a controller agrees whose Lease may not be read',
      { leases: may('leases') },
      "clocks: whether the clock of the controller's node agrees: you may not list leases",
    ],
    [
      'whether agents report that may not be read',
      { pods: may('pods') },
      'nodes: whether every agent reports: you may not list pods',
    ],
  ])('%s', (_sentence, facts, expected) => {
    const [check] = expected.split(':');
    const of = diagnose({ ...fine, ...facts }).filter((one) => one.check === check);
    expect(of.map(({ is, text }) => `${is}: ${check}: ${text}`)).toContain(`unknown: ${expected}`);
    if (facts.leases === undefined) expect(of.map(({ is }) => is)).not.toContain('fine');
  });
});

test('what may not be read is unknown, and nothing of it is fine', () => {
  const diagnosed = diagnose({ ...fine, ...blind });
  expect(diagnosed.filter(({ is }) => is !== 'unknown')).toEqual([]);
  expect(new Set(diagnosed.map(({ check }) => check)).size).toBe(12);
});
