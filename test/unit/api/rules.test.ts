import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import type { PolicyKind } from '../../../src/api/group.ts';
import type { Hop } from '../../../src/api/hop.ts';
import { hopTypes } from '../../../src/api/resolved-hop.ts';
import type { Keepalive } from '../../../src/api/keepalive.ts';
import { clusterKeepalivePolicySchema, keepalivePolicySchema } from '../../../src/api/object.ts';
import { presetNames } from '../../../src/api/presets.ts';
import type { Effective } from '../../../src/api/status.ts';
import { isEnough } from '../../../src/policy/enough.ts';
import { deriveEffective } from '../../../src/policy/effective.ts';
import { declaredValues, timeouts } from '../../support/arbitrary.ts';
import type { Problem } from './served-schema.ts';
import { problemOf, ServedSchema } from './served-schema.ts';
import type { Specimen } from './specimen.ts';
import { namespaced, sameName } from './specimen.ts';
import { specimens } from './specimens.ts';

const served: Record<PolicyKind, ServedSchema> = {
  KeepalivePolicy: new ServedSchema('KeepalivePolicy'),
  ClusterKeepalivePolicy: new ServedSchema('ClusterKeepalivePolicy'),
};
const schemas = {
  KeepalivePolicy: keepalivePolicySchema,
  ClusterKeepalivePolicy: clusterKeepalivePolicySchema,
};

/** Both opinions on one object. */
function judge({ kind, spec, name = 'specimen' }: Specimen) {
  const object = { apiVersion: 'keepalive.dev/v1alpha1', kind, metadata: { name }, spec };
  const issues = schemas[kind].safeParse(object).error?.issues ?? [];
  const isRule = ({ code, message }: (typeof issues)[number]) =>
    code === 'custom' || served[kind].isOfRule(message);
  return {
    zod: issues.map(problemOf),
    zodRules: issues.filter(isRule).map(problemOf),
    zodShape: issues.filter((issue) => !isRule(issue)).map(problemOf),
    shape: served[kind].shapeProblems(object),
    rules: served[kind].ruleProblems(object),
  };
}

const sorted = (problems: readonly Problem[]) => problems.map(({ at, text }) => `${at}: ${text}`).sort();

const placesOf = (problems: readonly Problem[]) => [...new Set(problems.map(({ at }) => at))].sort();

describe('the API server and every other reader agree', () => {
  test.each(specimens)('%s', (_sentence, specimen, ...expected) => {
    const { zod, zodRules, zodShape, shape, rules } = judge(specimen);
    expect(placesOf(zod)).toEqual([...new Set(expected.map(([at]) => at))].sort());
    for (const [at, words] of expected) {
      expect(sorted(zod.filter((problem) => problem.at === at)).join('\n')).toContain(words);
    }

    expect(placesOf(zodShape)).toEqual(placesOf(shape));
    if (rules === undefined) return;
    // zod asks no rule of a value with a wrong enum, the API server does: it may say more, never less.
    expect(sorted(rules)).toEqual(
      shape.length === 0 ? sorted(zodRules) : expect.arrayContaining(sorted(zodRules)),
    );
  });

  test('on the longest name', () => {
    const longest = { ...namespaced({}), name: 'a'.repeat(63) };
    expect(judge(longest)).toMatchObject({ zod: [], shape: [], rules: [] });
    const longer = judge({ ...longest, name: 'a'.repeat(64) });
    expect(longer.rules).toHaveLength(1);
    expect(longer.zod.map(({ text }) => text)).toEqual(longer.rules?.map(({ text }) => text));
  });
});

const names = fc.constantFrom('a', 'b', 'c', 'd', 'aws-nlb', 'envoy-tcp');
const hops: fc.Arbitrary<Hop> = fc.oneof(
  fc.record({ name: names, type: fc.constantFrom(...hopTypes), idleTimeoutSeconds: timeouts }),
  fc.record({ name: names, preset: fc.constantFrom(...presetNames) }, { requiredKeys: ['preset'] }),
);

/** Whether what follows from declared values is enough, and still what was declared. */
function isHonoured(values: Keepalive, effective: Effective | undefined): boolean {
  return (
    effective !== undefined &&
    isEnough(effective, effective.idleTimeoutSeconds) &&
    Object.entries(values).every(([key, value]) => effective[key as keyof Keepalive] === value)
  );
}

test('what a refusal advises is taken, and is what is derived', () => {
  const advised =
    /timeSeconds (?<timeSeconds>\d+), intervalSeconds (?<intervalSeconds>\d+) and probes (?<probes>\d+) would do/;
  fc.assert(
    fc.property(fc.array(hops, { minLength: 1, maxLength: 4 }), declaredValues, (path, values) => {
      const told = judge(namespaced({ path, keepalive: values }))
        .zod.map(({ text }) => advised.exec(text)?.groups)
        .find((groups) => groups !== undefined);
      if (told === undefined) return;
      const keepalive = Object.fromEntries(Object.entries(told).map(([key, text]) => [key, Number(text)]));
      const texts = judge(namespaced({ path, keepalive })).zod.map(({ text }) => text);
      expect(texts.filter((text) => !text.includes(sameName))).toEqual([]);
      expect(deriveEffective(path)).toMatchObject(keepalive);
    }),
    { numRuns: 500 },
  );
});

test('whatever the path and the declared values: valid in CEL, valid in zod, and enough are one', () => {
  const seen = { valid: 0, invalid: 0 };
  fc.assert(
    fc.property(fc.array(hops, { minLength: 1, maxLength: 4 }), declaredValues, (route, values) => {
      const { zod, rules } = judge(namespaced({ path: route, keepalive: values }));
      expect(sorted(rules ?? [])).toEqual(sorted(zod));
      const otherwiseWell = zod.filter(({ text }) => !text.includes(sameName));
      expect(otherwiseWell.length === 0).toBe(isHonoured(values, deriveEffective(route, values)));
      seen[zod.length === 0 ? 'valid' : 'invalid'] += 1;
    }),
    { numRuns: 500 },
  );
  // A generator that gives one kind only would show nothing.
  expect(seen.valid).toBeGreaterThan(50);
  expect(seen.invalid).toBeGreaterThan(50);
});
