import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { timestamp } from '../../../src/api/condition.ts';
import type { PolicyStatus, Refusal } from '../../../src/api/status.ts';
import { plan } from '../../../src/policy/plan.ts';
import type { PolicyRecord } from '../../../src/policy/record.ts';
import type { Refused } from '../../../src/policy/refusal.ts';
import { noAgents } from '../../../src/policy/rollup.ts';
import { unattendedStatus } from '../../../src/policy/unattended.ts';
import { givenSince, newlyWithheld, nextTrialMs, refusalsOf } from '../../../src/policy/withholding.ts';
import { namespace, platform, team } from '../../support/builder.ts';
import type { PlainFacts } from '../../support/recount-nodes.ts';
import { after, circumstances, conditionsOf, record, settled, start } from './plan-rig.ts';

const minute = 60_000;
const refused = (atMs: number, where = 'db'): Refused => ({
  ...{ namespace: where, atMs: start.getTime() + atMs, by: 'PodSecurity baseline:v1.27' },
  words: 'forbidden sysctls (net.ipv4.tcp_keepalive_time)',
});
const everywhere = platform(90);
const looking = (
  refusals: readonly Refusal[],
  heard: readonly Refused[],
  ms: number,
  rest: Partial<PolicyRecord> = {},
) =>
  refusalsOf(everywhere, {
    record: record(90, {}, { status: { observedGeneration: 1, refusals: [...refusals] }, ...rest }),
    ...{ heard, left: [], namespaceOf: namespace, now: after(ms) },
  });
const shape = (refusals: readonly Refusal[]) =>
  refusals.map(({ namespace: where, admission, times }) => `${where} ${admission} ${times}`);

/** What becomes of a refusal that comes back at each trial. */
function persistent(trials: number): { readonly refusals: Refusal[]; readonly ms: number } {
  let refusals = looking([], [refused(0)], 1000);
  let ms = 1000;
  for (let trial = 0; trial < trials; trial += 1) {
    ms += nextTrialMs(refusals, after(ms)) ?? 0;
    refusals = looking(refusals, [refused(0)], ms);
    ms += 5000;
    refusals = looking(refusals, [refused(ms - 1000)], ms);
  }
  return { refusals, ms };
}

describe('a refusal', () => {
  test('withholds admission in its namespace, and in no other', () => {
    expect(shape(looking([], [refused(0)], 1000))).toEqual(['db Withheld 1']);
  });

  test('that is repeated changes nothing more: whoever writes events causes one write', () => {
    const first = looking([], [refused(0)], 1000);
    expect(looking(first, [refused(5000)], 6000)).toEqual(first);
    expect(newlyWithheld([], first)).toEqual(first);
    expect(newlyWithheld(first, first)).toEqual([]);
  });

  test('of before the policy was there, or long ago, is not about it', () => {
    expect(looking([], [refused(0)], 1000, { createdAt: timestamp(after(1000)) })).toEqual([]);
    expect(looking([], [refused(0)], 20 * minute)).toEqual([]);
    expect(looking([], [refused(0)], 19 * minute)).toHaveLength(1);
  });

  test.each([
    [
      'in a namespace that the policy does not select',
      platform(90, { namespaceSelector: { matchLabels: { a: 'b' } } }),
    ],
    ['where the policy only audits', platform(90, { mode: 'Audit' })],
    ['of another namespace than its own', team(90, {}, 'team', 'web')],
  ])('%s is none of its business, nor what was withheld there', (_sentence, policy) => {
    const refusals = looking([], [refused(0)], 1000);
    const of = record(90, {}, { status: { observedGeneration: 1, refusals } });
    const hearing = { record: of, heard: [refused(0)], left: [], namespaceOf: namespace, now: after(2000) };
    expect(refusalsOf(policy, hearing)).toEqual([]);
  });

  test('in a namespace that is gone is forgotten', () => {
    const refusals = looking([], [refused(0)], 1000);
    const of = record(90, {}, { status: { observedGeneration: 1, refusals } });
    const hearing = {
      record: of,
      heard: [refused(0)],
      left: [],
      namespaceOf: () => undefined,
      now: after(2000),
    };
    expect(refusalsOf(everywhere, hearing)).toEqual([]);
  });
});

describe('the next trial', () => {
  test('comes after ten minutes, and what was refused until then does not count against it', () => {
    const first = looking([], [refused(0)], 1000);
    expect(shape(looking(first, [refused(9 * minute)], 10 * minute))).toEqual(['db Withheld 1']);
    const trial = looking(first, [refused(9 * minute)], 10 * minute + 1000);
    expect(shape(trial)).toEqual(['db Active 1']);
    expect(looking(trial, [refused(9 * minute)], 11 * minute)).toEqual(trial);
    expect(shape(looking(trial, [refused(11 * minute)], 11 * minute))).toEqual(['db Withheld 2']);
  });

  test('comes at once when the policy changes', () => {
    const first = looking([], [refused(0)], 1000);
    const changed = looking(first, [refused(2000)], 3000, { generation: 2 });
    expect(shape(changed)).toEqual(['db Active 1']);
    expect(shape(looking(changed, [refused(2000)], 4000))).toEqual(['db Active 1']);
  });

  test('comes later each time, up to a day', () => {
    const pauses = [0, 1, 2, 3, 8, 20].map((trials) => {
      const { refusals, ms } = persistent(trials);
      return Math.round((nextTrialMs(refusals, after(ms)) ?? 0) / minute);
    });
    expect(pauses).toEqual([10, 20, 40, 80, 1440, 1440]);
  });

  test('that lasted is worth a beginning: the next refusal counts as the first', () => {
    const { refusals, ms } = persistent(2);
    const trialMs = ms + 40 * minute;
    const trial = looking(refusals, [], trialMs);
    expect(shape(trial)).toEqual(['db Active 3']);
    const late = trialMs + 41 * minute;
    expect(shape(looking(trial, [refused(late)], late))).toEqual(['db Withheld 1']);
    expect(looking(trial, [], late, { generation: 2 })).toEqual([]);
  });

  test('is one pause away at most, wherever the clock is set to', () => {
    const refusals = looking([], [refused(0)], 1000);
    expect(nextTrialMs(refusals, after(-1000 * minute))).toBe(10 * minute);
    expect(nextTrialMs([], start)).toBeUndefined();
    expect(nextTrialMs(looking(refusals, [], 11 * minute), start)).toBeUndefined();
  });
});

describe('whatever many tenants claim', () => {
  const names = fc.integer({ min: 0, max: 99 }).map((number) => `n${number}`);
  const step = fc.record({ where: names, passMs: fc.integer({ min: 0, max: 30 * minute }) });

  test('a status keeps 64 at most, each namespace once, and the newest refusal is among them', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        let refusals: Refusal[] = [];
        let ms = 0;
        for (const { where, passMs } of steps) {
          ms += passMs + 1;
          refusals = looking(refusals, [refused(ms, where)], ms);
          expect(refusals.length).toBeLessThanOrEqual(64);
          expect(new Set(refusals.map((one) => one.namespace)).size).toBe(refusals.length);
          expect(refusals.map((one) => one.namespace)).toContain(where);
        }
      }),
    );
  });

  test('where more are refused than a status keeps, those that come have a place, for those that are tried and those withheld the longest', () => {
    const some = (count: number, from = 0) =>
      Array.from({ length: count }, (_, at) => refused(from * 1000, `n${from + at}`));
    const first = looking([], some(10), 1000);
    const full = looking(first, [...some(10), ...some(54, 10)], 60_000);
    const names = (refusals: readonly Refusal[]) => new Set(refusals.map((one) => one.namespace));
    // What an event says of its time gives it no place, and takes it none.
    const anew = looking(full, [refused(-9 * minute, 'early'), refused(9 * minute, 'late')], 9 * minute);
    expect(anew).toHaveLength(64);
    expect([...names(full)].filter((name) => !names(anew).has(name)).sort()).toEqual(['n8', 'n9']);
    const tried = looking(full, [], 60_000 + 9.5 * minute);
    expect(shape(tried).filter((one) => one.includes('Active'))).toHaveLength(10);
    const after = looking(tried, some(9, 100), 60_000 + 9.5 * minute + 1000);
    expect(shape(after).filter((one) => one.includes('Active'))).toHaveLength(1);
    // Of more than there is room for, the first in turn.
    expect(names(looking(full, some(70, 100), 2 * minute))).toEqual(names(looking([], some(64, 100), 0)));
  });

  test('who had to leave counts as tried since, and comes back as one who was refused in that trial', () => {
    const full = looking(
      [],
      Array.from({ length: 64 }, (_, at) => refused(0, `n${at}`)),
      1000,
    );
    const back = (ms: number) => {
      const [of] = looking([], [refused(0)], 1000);
      const left: Refusal[] = [{ ...(of as Refusal), admission: 'Active' }];
      const hearing = { heard: [refused(ms)], left, namespaceOf: namespace, now: after(ms) };
      const is = refusalsOf(everywhere, {
        record: record(90, {}, { status: { refusals: full } }),
        ...hearing,
      });
      return shape(is.filter((one) => one.namespace === 'db'));
    };
    expect(back(9 * minute)).toEqual(['db Withheld 2']);
    expect(back(11 * minute)).toEqual(['db Withheld 1']);
    expect(back(0)).toEqual([]);
  });

  test('nobody is withheld who did not say so himself', () => {
    fc.assert(
      fc.property(fc.uniqueArray(names), (claimed) => {
        const refusals = looking(
          [],
          claimed.map((where) => refused(0, where)),
          1000,
        );
        for (const { namespace: where } of refusals) expect(claimed).toContain(where);
      }),
    );
  });
});

describe('since when each new pod must have been given its values', () => {
  const of = settled().record;
  const readyAt = Date.parse(of.status.conditions?.[0]?.lastTransitionTime ?? '');
  const entry = looking([], [refused(0)], 60_000)[0] as Refusal;
  const withRefusal = (admission: Refusal['admission']) => ({
    ...of,
    status: { ...of.status, refusals: [{ ...entry, admission }] },
  });

  test('since the policy is in force', () => {
    expect(givenSince(of)('db')).toBe(readyAt);
  });

  test('never where it is not, or not of this generation', () => {
    expect(givenSince({ ...of, generation: 2 })('db')).toBeUndefined();
    expect(givenSince(record())('db')).toBeUndefined();
    const { conditions = [] } = of.status;
    const audited = conditions.map((one) => ({ ...one, reason: 'Audited' }));
    expect(givenSince({ ...of, status: { conditions: audited } })('db')).toBeUndefined();
  });

  test('never where it is withheld, and since the trial where it was', () => {
    expect(givenSince(withRefusal('Withheld'))('db')).toBeUndefined();
    expect(givenSince(withRefusal('Withheld'))('web')).toBe(readyAt);
    expect(givenSince(withRefusal('Active'))('db')).toBe(Date.parse(entry.since));
  });
});

describe('what the status says', () => {
  const withAgents: PlainFacts = { ...noAgents, anyAgent: true };
  const ofTeam = (status: PolicyStatus = {}): PolicyRecord => ({
    ...{ kind: 'KeepalivePolicy', namespace: 'db', name: 'team', uid: 'u2', generation: 1 },
    ...{ policy: team(90), problems: undefined, status },
  });
  const planned = (of: PolicyRecord, facts: PlainFacts, ms: number, heard = [refused(0)]) =>
    plan(circumstances(of, { facts, heard, now: after(ms), activatingForMs: 3000 }));
  const whileReady = { ...settled(), heard: [refused(60_000)], now: after(61_000) };

  test('of a policy of the cluster: in force, but for that namespace; looked at again when a trial is due', () => {
    const { status, againAfterMs, verdict } = plan(whileReady);
    expect(conditionsOf(status)).toEqual(['Ready=True Enforced']);
    expect(verdict.message).toContain('. New pods in db get them not at all: see AdmissionRefused');
    expect(status.refusals).toMatchObject([{ namespace: 'db', admission: 'Withheld', times: 1 }]);
    expect(status).not.toHaveProperty('admission');
    expect(againAfterMs).toBeGreaterThan(9 * minute);
    expect(status.findings?.[0]).toMatchObject({ reason: 'AdmissionRefused', namespace: 'db' });
    expect(status.findings?.[0]?.message).toMatch(
      /^PodSecurity baseline:v1[.]27 refuses pods with the values here: "forbidden sysctls [(]net[.]ipv4[.]tcp_keepalive_time[)]"[.] /,
    );
    const ofPod = status.findings?.find(({ reason }) => reason === 'NotDeclared');
    expect(ofPod?.message).toContain('only a node agent can change that');
  });

  test('of a policy of one namespace without agents: it does nothing, and somebody has to act', () => {
    const { status } = planned(ofTeam(), noAgents, 1000);
    expect(conditionsOf(status)).toEqual(['Ready=False AdmissionRefused', 'Stalled=True AdmissionRefused']);
  });

  test('of one with agents: in force, by them', () => {
    const activating = planned(ofTeam(), withAgents, 0, []);
    const { status, verdict } = planned(ofTeam(activating.status), withAgents, 4000);
    expect(conditionsOf(status)).toEqual(['Ready=True Enforced']);
    expect(verdict.message).toContain('New pods get them only once they run, from the agent of their node');
  });

  test('stays, as admission goes on by it, where the spec cannot be read or nobody looks after it', () => {
    const { status } = plan(whileReady);
    const unreadable = record(90, {}, { generation: 2, policy: undefined, problems: 'spec.x', status });
    expect(plan(circumstances(unreadable)).status.refusals).toEqual(status.refusals);
    expect(unattendedStatus({ ...unreadable, status }, start, 'policy').refusals).toEqual(status.refusals);
  });

  test('names many namespaces in one finding for each refuser, and five refusers at most', () => {
    const many = Array.from({ length: 40 }, (_, at) => ({
      ...refused(60_000, `n${at}`),
      by: `webhook ${at % 10}`,
    }));
    const { status } = plan({ ...whileReady, heard: many });
    const told = status.findings?.filter(({ reason }) => reason === 'AdmissionRefused') ?? [];
    expect(told).toHaveLength(5);
    expect(told[0]?.message).toContain('in 4 namespaces (n0, n10, n20 and 1 more)');
    expect(status.refusals).toHaveLength(40);
  });
});
