import { join } from 'node:path';

import { beforeAll, describe, expect, test } from '@jest/globals';
import { parseAllDocuments } from 'yaml';

import type { Coverage, Verdict } from '../../src/api/condition.ts';
import { conditionsOf } from '../../src/api/condition.ts';
import { unseenStatus } from '../../src/api/status.ts';
import { installingMs } from '../../src/policy/installing.ts';
import { plan } from '../../src/policy/plan.ts';
import { runOrThrow } from '../cluster/command.ts';
import { provide } from '../cluster/prepare.ts';
import { fluxHealth } from '../cluster/program.ts';
import { Page } from '../unit/docs/page.ts';
import { circumstances, record, start } from '../unit/policy/plan-rig.ts';

const program = fluxHealth();
// It is compiled first where it is not cached.
beforeAll(() => provide({ programs: [program] }, undefined), 1_800_000);

interface Expressions {
  readonly kind: string;
  readonly current: string;
  readonly failed: string;
}
interface Recipe {
  readonly spec?: { readonly healthCheckExprs?: readonly Expressions[] };
}

/** As the page shows them. */
const [expressions] = new Page('docs/install.md')
  .blocks('yaml')
  .flatMap((block) => [...parseAllDocuments(block)].map((document) => document.toJS() as Recipe))
  .flatMap(({ spec }) => spec?.healthCheckExprs ?? []);

/** By kstatus, which `wait: true` asks, and by the expressions. */
interface Health {
  readonly plain: string;
  readonly expressions: string;
}

async function healthOf(status: object): Promise<Health> {
  const object = {
    ...{ apiVersion: 'keepalive.dev/v1alpha1', kind: 'KeepalivePolicy' },
    metadata: { name: 'team', generation: 1 },
    ...{ spec: {}, status },
  };
  const stdin = JSON.stringify({ expressions, objects: [object] });
  const [health] = JSON.parse(await runOrThrow([join(program.place, program.name)], { stdin })) as Health[];
  if (health === undefined) throw new Error('it gave no answer');
  return health;
}

const missing = { installation: { missing: ['MutatingAdmissionPolicy a'], differing: [] } };
const waiting = plan(circumstances(record(), missing));
const waited = plan(
  circumstances(record(90, {}, { status: waiting.status }), { ...missing, activatingForMs: installingMs }),
);
const verdict = (kind: Verdict['kind'], reason: string): Verdict => ({ kind, reason, message: 'x' });
const saying = (said: Verdict, covered: Coverage['status'], generation = 1) => ({
  observedGeneration: generation,
  conditions: conditionsOf(
    said,
    { status: covered, reason: 'X', message: 'x' },
    { generation, now: start, previous: [] },
  ),
});

const inForce = verdict('ready', 'Enforced');

describe('what Flux makes of a policy', () => {
  test.each([
    ['that nobody has seen yet', unseenStatus, 'InProgress', 'InProgress'],
    ['just changed', plan(circumstances(record())).status, 'InProgress', 'InProgress'],
    ['told of before it was changed', saying(inForce, 'True', 0), 'InProgress', 'InProgress'],
    ['that waits for an installation', waiting.status, 'InProgress', 'InProgress'],
    ['that has waited for one in vain', waited.status, 'Failed', 'Failed'],
    ['Stalled otherwise', saying(verdict('stalled', 'X'), 'Unknown'), 'Failed', 'Failed'],
    ['in force and not covered', saying(inForce, 'False'), 'Current', 'InProgress'],
    ['in force, of which nobody can tell', saying(inForce, 'Unknown'), 'Current', 'InProgress'],
    ['in force and covered', saying(inForce, 'True'), 'Current', 'Current'],
  ])('%s', async (_, status, plain, expressions) => {
    expect(await healthOf(status)).toEqual({ plain, expressions });
  });
});
