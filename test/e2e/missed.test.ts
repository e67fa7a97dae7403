import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from '@jest/globals';

import type { PolicyStatus } from '../../src/api/status.ts';
import { repository } from '../cluster/place.ts';
import { until } from '../cluster/wait.ts';
import { whileControllersStandStill } from './controllers.ts';
import { Bench, condition, isReady, kap, sleeper } from './shared.ts';

const bench = new Bench();
const namespace = 'e2e-missed';
const team = { kind: 'kap', name: 'team', namespace } as const;
const binding = ['mutatingadmissionpolicybinding', 'keepalivepolicy.keepalive.dev'] as const;
const given = async () => (await bench.dryRun(sleeper('new', namespace))).length > 0;
const missed = ({ findings = [] }: PolicyStatus) =>
  findings.filter(({ reason }) => reason === 'MissedByAdmission');

beforeAll(async () => {
  await bench.namespace(namespace);
  await bench.start(sleeper('before', namespace));
  await bench.apply(kap(namespace, 'team', 90));
  await bench.status(team, (s) => isReady(s) && s.pods?.live === 1);
  await bench.start(sleeper('given', namespace));
});
afterAll(() => bench.cluster.kubectl('delete', 'namespace', namespace, '--wait=false'));

test('a pod that was made while admission looked away is named once, and covered by the agent', async () => {
  const before = (await bench.policy(team)).status;
  // Then nobody but the API server knows what admission does.
  await whileControllersStandStill(bench, async () => {
    await bench.cluster.kubectl('delete', ...binding);
    await until('admission looks away', async () => !(await given()));
    await bench.start(sleeper('missed', namespace));
    await bench.cluster.kubectl('apply', '-f', join(repository, 'deploy/admission.yaml'));
    await until('admission is back', given);
  });
  const status = await bench.status(team, (s) => missed(s).length > 0 && s.pods?.live === 3, 60_000);
  expect(missed(status).map(({ pod }) => pod)).toEqual(['missed']);
  expect(missed(status)[0]?.message).toContain('The agent of its node gives them to it');
  expect(status.findingsTotal).toBe(1);
  expect(await bench.valuesIn('missed', namespace)).toBe('30/10/6');
  // It was Ready throughout: nobody would have heard of it otherwise.
  expect(condition(status, 'Ready')).toEqual(condition(before, 'Ready'));
  expect(
    condition(await bench.status(team, (s) => condition(s, 'Covered')?.status === 'True', 90_000), 'Covered')
      ?.reason,
  ).toBe('AllCovered');
});

test('it is forgotten with the pod', async () => {
  await bench.cluster.kubectl('delete', 'pod', 'missed', '-n', namespace);
  await bench.status(team, (s) => missed(s).length === 0);
});
