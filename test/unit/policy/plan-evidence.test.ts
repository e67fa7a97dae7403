import { describe, expect, test } from '@jest/globals';

import type { Evidence } from '../../../src/policy/evidence.ts';
import { activationMs } from '../../../src/policy/evidence.ts';
import type { Circumstances, Plan } from '../../../src/policy/plan.ts';
import { plan } from '../../../src/policy/plan.ts';
import {
  activating,
  applied,
  circumstances,
  conditionsOf,
  enforced,
  record,
  seen,
  settled,
} from './plan-rig.ts';

const inactive = ['Ready=False AdmissionInactive', 'Reconciling=True AdmissionInactive'];
const seenByOne: Evidence = { kind: 'seen', others: true };
const refused: Evidence = { kind: 'unknown', why: 'it refuses the question: 403 Forbidden' };

/** The look after the one that wrote binding and status. */
function next(evidence: Evidence, activatingForMs = 50): Plan {
  const first = plan(circumstances(record()));
  const binding = applied(first, undefined);
  return plan(
    circumstances(record(90, {}, { status: first.status }), { binding, evidence, activatingForMs }),
  );
}

describe('a policy that was written', () => {
  test.each<[string, Evidence, number, { conditions: readonly string[]; againAfterMs?: number }]>([
    ['is Ready as soon as the API server was seen to act by it', seen, 50, { conditions: enforced }],
    [
      'stays Activating while it was not, however long',
      { kind: 'awaited' },
      86_400_000,
      { conditions: activating },
    ],
    [
      'is AdmissionInactive where the API server lets pods pass',
      { kind: 'silent' },
      6000,
      { conditions: inactive },
    ],
    [
      'is waited for where nobody can be asked',
      refused,
      2000,
      { conditions: activating, againAfterMs: 1000 },
    ],
    ['is Ready after that wait', refused, activationMs, { conditions: enforced }],
    [
      'is waited for where others were not asked',
      seenByOne,
      1000,
      { conditions: activating, againAfterMs: 2000 },
    ],
    ['is Ready after that wait, too', seenByOne, activationMs, { conditions: enforced }],
  ])('%s', (_what, evidence, forMs, { conditions, againAfterMs }) => {
    const planned = next(evidence, forMs);
    expect(conditionsOf(planned.status)).toEqual(conditions);
    expect(planned.againAfterMs).toBe(againAfterMs);
  });

  test('is not Ready by what was seen before it was written', () => {
    const { status, activation } = plan({
      ...settled(),
      record: { ...settled().record, generation: 2 },
      evidence: seen,
    });
    expect([...conditionsOf(status), activation]).toEqual([...activating, 'begins']);
  });

  test('says so where its Ready was waited for, and nothing of it where it was seen', () => {
    const [ready] = next(refused, activationMs).status.conditions ?? [];
    expect(ready?.message).toContain('cannot be seen (it refuses the question: 403 Forbidden)');
    expect(next(seen).status.conditions?.[0]?.message).not.toContain('seen');
  });
});

describe('a policy that is Ready', () => {
  test('is so no longer once the API server lets pods pass, and again only by what is seen then', () => {
    const before = settled();
    const lost = plan({ ...before, evidence: { kind: 'silent' } });
    expect([...conditionsOf(lost.status), lost.activation]).toEqual([...inactive, 'begins']);
    const later = { ...before, record: { ...before.record, status: lost.status } };
    // Awaited by nobody: a process that has only begun knows nothing.
    const another = plan({ ...later, evidence: seen });
    expect([...conditionsOf(another.status), another.activation]).toEqual([...activating, 'begins']);
    const found = plan({ ...later, evidence: seen, activatingForMs: 4000 });
    expect(conditionsOf(found.status)).toEqual(enforced);
  });

  test('keeps its word while a question is open', () => {
    const { status, activation } = plan({ ...settled(), evidence: { kind: 'awaited' } });
    expect([...conditionsOf(status), activation]).toEqual([...enforced, 'none']);
  });

  test.each<[string, object]>([
    ['audits', { mode: 'Audit' }],
    ['selects nodes alone', { podSelector: undefined, nodes: { selector: {} } }],
  ])('has nothing to do with it where it %s', (_how, spec) => {
    const { status } = plan(circumstances(record(90, spec), { evidence: { kind: 'silent' } }));
    expect(conditionsOf(status)).not.toEqual(inactive);
  });
});

describe('where a webhook changes new pods', () => {
  const inWebhook = { ...settled(), mode: 'webhook', mayBind: false } as const;

  test.each<[string, Partial<Circumstances>, string]>([
    ['nothing is bound', { binding: undefined }, 'keep'],
    ['what bound policies before is taken away', {}, 'delete'],
    ['it is kept up while policies are installed as well', { mayBind: true }, 'keep'],
    ['and made', { mayBind: true, binding: undefined }, 'create'],
    [
      'nothing is touched while the configuration is missing',
      { installation: { missing: ['MutatingWebhookConfiguration a'], differing: [] } },
      'keep',
    ],
  ])('%s', (_sentence, more, step) => {
    expect(plan({ ...inWebhook, ...more }).binding.do).toBe(step);
  });

  test('silence is told with what can be done about it there', () => {
    const { status } = plan({ ...inWebhook, binding: undefined, evidence: { kind: 'silent' } });
    const [ready] = status.conditions ?? [];
    expect(ready?.reason).toBe('AdmissionInactive');
    expect(ready?.message).toContain('port 9443 unless you chose another');
    expect(ready?.message).not.toContain('MutatingAdmissionPolicy');
  });
});
