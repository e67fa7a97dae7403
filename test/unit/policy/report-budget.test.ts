import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import type { NodePolicyReport } from '../../../src/api/node-keepalive.ts';
import { nodeKeepaliveStatusSchema } from '../../../src/api/node-keepalive.ts';
import type { PolicyDraft } from '../../../src/policy/report-budget.ts';
import { fitted, reportBytes, sizeOf, tooLongFindings, wasCut } from '../../../src/policy/report-budget.ts';

/** One policy as a property draws it. */
interface Drawn {
  readonly namespace: string;
  readonly name: string;
  readonly selected: number;
  /** Of its findings, in their order. */
  readonly messages: readonly string[];
}

const clusterWide = '';
const drawnPolicies = fc.uniqueArray(
  fc.record({
    namespace: fc.constantFrom(clusterWide, 'a', 'b', 'c', 'much-longer-than-all-others'),
    name: fc.oneof(fc.string({ minLength: 1, maxLength: 3 }), fc.string({ minLength: 1, maxLength: 253 })),
    selected: fc.nat(),
    // What a program calls itself may be anything: quotes and control characters take more bytes than one.
    messages: fc.array(fc.string({ unit: 'binary', maxLength: 300 }), { maxLength: 20 }),
  }),
  { selector: ({ namespace, name }) => `${namespace}/${name}`, minLength: 1, maxLength: 60 },
);
const limits = fc.integer({ min: 3000, max: 60_000 });

function draftOf({ namespace, name, selected, messages }: Drawn): PolicyDraft {
  const kind = namespace === clusterWide ? 'ClusterKeepalivePolicy' : 'KeepalivePolicy';
  const findingsTotal = messages.length === 0 ? {} : { findingsTotal: messages.length };
  return {
    record: {
      ...{ kind, namespace, name, uid: 'u', generation: 1, policy: undefined, problems: undefined },
      status: {},
    },
    totals: () => ({
      ...{ kind, name, observedGeneration: 1, selected, live: 0, ...findingsTotal },
      ...(namespace === clusterWide ? {} : { namespace }),
    }),
    findings: () => messages.map((message) => ({ reason: 'NotLive', say: () => message })),
  };
}

const keyOf = ({ namespace = clusterWide, name }: { namespace?: string | undefined; name: string }) =>
  `${namespace}/${name}`;

/** What each of the drawn was told, and what it would have been told with room for everything. */
function tell(drawn: readonly Drawn[], limit: number) {
  const fit = fitted(drawn.map(draftOf), limit);
  const told = new Map((fit.policies ?? []).map((report) => [keyOf(report), report]));
  return { fit, told, of: (one: Drawn) => told.get(keyOf(one)) };
}

const findingsOf = (report: NodePolicyReport | undefined) =>
  (report?.findings ?? []).map(({ message }) => message);
const bytesOf = (report: NodePolicyReport | undefined) => (report === undefined ? 0 : sizeOf(report));
const largest = (drawn: readonly Drawn[]) =>
  Math.max(...drawn.flatMap((one) => [sizeOf(draftOf(one).totals()), ...one.messages.map(sizeOf)])) + 100;
/** An entry is reckoned up to 32 bytes and its punctuation longer than it is. */
const reckonedMore = 50;

function holds(property: (drawn: Drawn[], limit: number) => void) {
  fc.assert(fc.property(drawnPolicies, limits, property));
}

describe('whatever policies and findings there are', () => {
  test('what is told has room in so many bytes', () => {
    holds((drawn, limit) => {
      expect(sizeOf(tell(drawn, limit).fit)).toBeLessThanOrEqual(limit);
    });
  });

  test('totals are whole and right, and findings the worst ones, in their order', () => {
    holds((drawn, limit) => {
      const { of } = tell(drawn, limit);
      for (const one of drawn) {
        const report = of(one);
        if (report === undefined) continue;
        const { findings: _, ...totals } = report;
        expect(totals).toEqual(draftOf(one).totals());
        const said = findingsOf(report);
        expect(said).toEqual(one.messages.slice(0, said.length));
      }
    });
  });

  test('in a namespace nobody has findings told while there is no room for the totals of somebody', () => {
    holds((drawn, limit) => {
      const { of } = tell(drawn, limit);
      for (const [namespace, all] of Map.groupBy(drawn, (one) => one.namespace))
        if (namespace !== clusterWide && all.some((one) => of(one) === undefined))
          expect(all.flatMap((one) => findingsOf(of(one)))).toEqual([]);
    });
  });

  test('what is cut is named with its namespace, how many its policies are and how many are left out', () => {
    holds((drawn, limit) => {
      const { fit, of } = tell(drawn, limit);
      const byNamespace = Map.groupBy(drawn, ({ namespace }) => namespace);
      const expected = [...byNamespace].flatMap(([namespace, all]) => {
        const leftOut = all.filter((one) => of(one) === undefined).length;
        const isCut = all.some((one) => findingsOf(of(one)).length < one.messages.length);
        const whose = namespace === clusterWide ? {} : { namespace };
        return isCut || leftOut > 0 ? [{ ...whose, policies: all.length, leftOut }] : [];
      });
      expect(fit.shortened ?? []).toEqual(expected);
    });
  });

  test('nobody lacks anything while another has more bytes, but for the one thing that did not fit', () => {
    holds((drawn, limit) => {
      const { of } = tell(drawn, limit);
      const lacks = (one: Drawn) => of(one) === undefined || wasCut(of(one));
      const had = (all: readonly Drawn[]) => all.reduce((sum, one) => sum + bytesOf(of(one)), 0);
      const isFair = (groups: readonly (readonly Drawn[])[]) => {
        for (const poor of groups.filter((all) => all.some(lacks)))
          for (const rich of groups)
            expect(had(rich)).toBeLessThanOrEqual(had(poor) + largest(drawn) + reckonedMore * poor.length);
      };
      const namespaces = Map.groupBy(drawn, ({ namespace }) => namespace);
      for (const all of namespaces.values()) isFair(all.map((one) => [one]));
      isFair([...namespaces].filter(([name]) => name !== clusterWide).map(([, all]) => all));
      isFair([
        drawn.filter(({ namespace }) => namespace === clusterWide),
        drawn.filter(({ namespace }) => namespace !== clusterWide),
      ]);
    });
  });

  test('nobody else’s pile takes anything from a namespace that stays under an equal share', () => {
    const small: Drawn = { namespace: 'small', name: 'one', selected: 1, messages: ['a', 'b', 'c'] };
    holds((drawn, limit) => {
      // Half of it for all cluster policies, the other for five namespaces, less what says what was cut and what did not fit.
      if (sizeOf(draftOf(small).totals()) + 300 > (limit / 2 - 500) / 5 - largest(drawn)) return;
      expect(findingsOf(tell([...drawn, small], limit).of(small))).toEqual(small.messages);
    });
  });

  test('what does not fit is told of the oldest first', () => {
    holds((drawn, limit) => {
      const young = drawn.map((one) => {
        const draft = draftOf(one);
        return { ...draft, record: { ...draft.record, createdAt: '2026-02-02T00:00:00Z' } };
      });
      const old = { namespace: 'a', name: '~', selected: 0, messages: [] };
      const { record, ...rest } = draftOf(old);
      const oldest = { ...rest, record: { ...record, createdAt: '2026-01-01T00:00:00Z' } };
      const { policies = [] } = fitted([...young, oldest], limit);
      const isTold = policies.some((report) => keyOf(report) === keyOf(old));
      expect(isTold || !policies.some(({ namespace }) => namespace === 'a')).toBe(true);
    });
  });

  test('a count of one digit more moves nothing of anybody else', () => {
    const count = (selected: number): Drawn => ({ namespace: 'a', name: 'moves', selected, messages: [] });
    holds((drawn, limit) => {
      const others = drawn.filter(({ name }) => name !== 'moves');
      const toldWith = (selected: number) => {
        const { told } = tell([...others, count(selected)], limit);
        told.delete('a/moves');
        return told;
      };
      expect(toldWith(10)).toEqual(toldWith(9));
    });
  });
});

describe('what a policy is told of a report that was too long', () => {
  const messageOf = (policies: number, leftOut: number) =>
    tooLongFindings({ kind: 'KeepalivePolicy', namespace: 'db' }, 'n1', { policies, leftOut })[0]?.message;

  test('names whose policies they are, and the remedy', () => {
    expect(messageOf(5000, 3800)).toContain(
      'namespace db has 5000 policies that select something on this node, more than there is room for',
    );
    expect(messageOf(5000, 3800)).toContain('the newest are left out');
    expect(messageOf(20, 0)).toContain('not all findings are listed');
    expect(
      tooLongFindings({ kind: 'ClusterKeepalivePolicy', namespace: '' }, 'n1', { policies: 3, leftOut: 0 }),
    ).toMatchObject([{ reason: 'ReportTooLong', node: 'n1' }]);
  });

  test('stays the same while single policies come', () => {
    expect(messageOf(537, 0)).toContain('namespace db has more than 500 policies');
    expect(messageOf(538, 0)).toBe(messageOf(537, 0));
  });
});

test('the API server takes as many policies as there can be room for, be their names as short as names are', () => {
  const drawn = Array.from({ length: 5000 }, (_, at) => at.toString(36)).map((name): Drawn => ({
    namespace: clusterWide,
    name,
    selected: 0,
    messages: [],
  }));
  const { policies = [] } = nodeKeepaliveStatusSchema.parse(tell(drawn, reportBytes).fit);
  expect(policies.length).toBeGreaterThan(2000);
});
