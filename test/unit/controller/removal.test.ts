import { describe, expect, test } from '@jest/globals';

import type { StoredDeployment } from '../../../src/controller/record.ts';
import { deploymentRecord } from '../../../src/controller/record.ts';
import { Removal } from '../../../src/controller/removal.ts';
import { admissionRecord } from '../../../src/controller/record.ts';
import { assertNotRenamed } from '../../../src/controller/renamed.ts';
import { RequirementError } from '../../../src/kube/requirement.ts';
import { unattendedStatus } from '../../../src/policy/unattended.ts';
import { after, record } from '../policy/plan-rig.ts';

const labels = {
  'app.kubernetes.io/name': 'keepalive-operator',
  'app.kubernetes.io/component': 'controller',
};
const deployment = (metadata: object = {}, spec: object = {}) =>
  deploymentRecord({
    metadata: { name: 'controller', uid: 'u1', resourceVersion: '1', labels, ...metadata },
    spec,
  });

describe('the operator is', () => {
  /** What the watch tells, one after the other; whether it ends with a removal. */
  const isRemoved = (...told: readonly (StoredDeployment | undefined)[]) => {
    let now: StoredDeployment | undefined;
    const removal = new Removal(() => (now === undefined ? [] : [now]));
    for (const one of told) {
      now = one;
      removal.look();
    }
    return removal.signal.aborted;
  };

  test.each<[string, (StoredDeployment | undefined)[], boolean]>([
    ['there where its Deployment is', [deployment()], false],
    ['not removed where it never had one', [undefined], false],
    ['not removed by a Deployment of somebody else', [deployment({ labels: {} })], false],
    ['removed where that is gone', [deployment(), undefined], true],
    ['removed where that is going', [deployment(), deployment({ deletionTimestamp: 'now' })], true],
    ['removed where that asks for no replica', [deployment(), deployment({}, { replicas: 0 })], true],
    [
      'there where that asks for fewer',
      [deployment({}, { replicas: 2 }), deployment({}, { replicas: 1 })],
      false,
    ],
  ])('%s', (_sentence, told, removed) => {
    expect(isRemoved(...told)).toBe(removed);
  });
});

describe('a status that nobody keeps any more', () => {
  const ready = {
    observedGeneration: 3,
    effective: { idleTimeoutSeconds: 90, limitedBy: 'nat', timeSeconds: 30, intervalSeconds: 10, probes: 6 },
    pods: { selected: 2, declared: 2, skipped: 0, summary: '2/2' },
    conditions: [
      {
        ...({
          type: 'Ready',
          status: 'True',
          reason: 'Enforced',
          message: '',
          observedGeneration: 3,
        } as const),
        lastTransitionTime: '2026-01-01T00:00:00Z',
      },
    ],
  };
  const of = { ...record(90), status: ready };

  test('keeps what admission reads, drops the counts, and is not Ready', () => {
    const { pods, effective, conditions } = unattendedStatus(of, after(0), 'policy');
    expect([pods, effective]).toEqual([undefined, ready.effective]);
    expect(conditions).toMatchObject([{ type: 'Ready', status: 'Unknown', reason: 'OperatorRemoved' }]);
  });

  test('keeps admission withheld: what was switched off must not act when the controller goes', () => {
    const off = { ...of, status: { ...ready, admission: 'Withheld' } as const };
    expect(unattendedStatus(off, after(0), 'policy').admission).toBe('Withheld');
    expect(unattendedStatus(of, after(0), 'policy')).not.toHaveProperty('admission');
  });

  test.each([
    ['policy', 'New pods get the values as long as the admission policies are installed'],
    ['webhook', 'New pods start without the values: the webhook went with it'],
  ] as const)('tells what becomes of new pods, by what changed them (%s)', (mode, told) => {
    const { conditions } = unattendedStatus(of, after(0), mode);
    expect(conditions?.[0]?.message).toContain(told);
  });

  test('said twice is said once', () => {
    const once = unattendedStatus(of, after(0), 'policy');
    expect(unattendedStatus({ ...of, status: once }, after(60_000), 'policy')).toEqual(once);
  });
});

describe('admission policies', () => {
  // As they are kept: what a record leaves out nobody sees.
  const found =
    (...names: string[]) =>
    () =>
      assertNotRenamed(
        names.flatMap(
          (name) => admissionRecord({ metadata: { name, uid: name, resourceVersion: '1' } }) ?? [],
        ),
      );
  const own = ['keepalivepolicy.keepalive.dev', 'clusterkeepalivepolicy.keepalive.dev'];

  test.each([
    ['under their names', own],
    ['under their names, beside others', [...own, 'acme-keepalivepolicy.keepalive.dev']],
    ['that are not there, which a status tells', ['somebody.else.example']],
    ['of which one is not there', own.slice(1)],
  ])('%s are no reason to end', (_sentence, names) => {
    expect(found(...names)).not.toThrow();
  });

  test.each([
    ['with a prefix', own.map((name) => `acme-${name}`)],
    ['with a suffix', own.map((name) => `${name}-acme`)],
  ])('%s are told, with what to do', (_sentence, names) => {
    expect(found(...names)).toThrow(RequirementError);
    expect(found(...names)).toThrow(`MutatingAdmissionPolicy ${names[0]} is ours under another name`);
  });
});
