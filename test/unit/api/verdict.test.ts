import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import * as z from 'zod';

import type { PolicyKind } from '../../../src/api/group.ts';
import { fieldText } from '../../../src/api/schema-node.ts';
import { unknownFields, verdictOn } from '../../../src/api/verdict.ts';
import { declaredValues, timeouts } from '../../support/arbitrary.ts';
import type { MetadataSpecimen } from './metadata-specimens.ts';
import { metadataSpecimens, unknownMetadata, unsentSpecimens } from './metadata-specimens.ts';
import { ServedSchema } from './served-schema.ts';
import type { Specimen } from './specimen.ts';
import { namespaced } from './specimen.ts';
import { specimens } from './specimens.ts';

const served: Record<PolicyKind, ServedSchema> = {
  KeepalivePolicy: new ServedSchema('KeepalivePolicy'),
  ClusterKeepalivePolicy: new ServedSchema('ClusterKeepalivePolicy'),
};

function objectOf({ kind, spec, name = 'specimen' }: Specimen) {
  return { apiVersion: 'keepalive.dev/v1alpha1', kind, metadata: { name }, spec };
}

function withMetadata({ kind = 'KeepalivePolicy', metadata }: MetadataSpecimen) {
  const { spec } = namespaced({});
  return { ...objectOf({ kind, spec }), metadata };
}

/** What is said without CEL, and what CEL and JSON Schema say of the CRD. */
function judge(specimen: Specimen) {
  const object = objectOf(specimen);
  const problems = verdictOn(specimen.kind, object).map(({ path, body, nowhere }) => ({
    at: nowhere ? '' : z.core.toDotPath([...path]),
    text: body,
  }));
  const shape = served[specimen.kind].shapeProblems(object);
  const rules = served[specimen.kind].ruleProblems(object) ?? [];
  return { problems, shape, rules };
}

describe('what is said without an API server', () => {
  test.each(specimens)('%s', (_sentence, specimen) => {
    const { problems, shape, rules } = judge(specimen);
    const isBlocked = problems.some(({ text }) => text.includes('validation rules were not checked'));
    // A rule of CEL that does not hold is told in the same words at the same place, and no other is.
    const told = problems.filter(({ text }) => rules.some((rule) => text.endsWith(rule.text)));
    expect(
      told
        .map(({ at, text }) => `${at} ${text.replace(/^Invalid value(: "[^"]*"|: -?[\d.]+)?: /, '')}`)
        .sort(),
    ).toEqual(isBlocked ? [] : rules.map(({ at, text }) => `${at} ${text}`).sort());
    const others = problems.filter(
      (problem) => !told.includes(problem) && !problem.text.includes('were not checked'),
    );
    const placesOf = (list: readonly { at: string }[]) => [...new Set(list.map(({ at }) => at))].sort();
    expect(placesOf(others)).toEqual(placesOf(shape));
  });

  test('is what CEL says, whatever the timeout and the declared values', () => {
    fc.assert(
      fc.property(timeouts, declaredValues, (idleTimeoutSeconds, keepalive) => {
        const path = [{ name: 'nat', type: 'NAT', idleTimeoutSeconds }];
        const { problems, rules } = judge(namespaced({ path, keepalive }));
        expect(problems).toEqual(rules.map(({ at, text }) => ({ at, text: `Invalid value: ${text}` })));
      }),
      { numRuns: 200 },
    );
  });

  test('of a name too long is what the rule of the kind says', () => {
    const [problem, ...others] = verdictOn(
      'KeepalivePolicy',
      objectOf({ ...namespaced({}), name: 'a'.repeat(64) }),
    );
    expect(others).toEqual([]);
    expect(problem).toMatchObject({
      body: 'Invalid value: the name of a policy may have at most 63 characters',
    });
  });

  test.each<[string, object, string[]]>([
    ['no name', {}, ['metadata.name: Required value: name or generateName is required']],
    ['a generated name', { generateName: 'a-' }, []],
    [
      'a name in capitals',
      { name: 'Nat' },
      ['metadata.name: Invalid value: "Nat": a lowercase RFC 1123 subdomain must consist of'],
    ],
  ])('of %s', (_sentence, metadata, words) => {
    const said = verdictOn('KeepalivePolicy', { ...objectOf(namespaced({})), metadata }).map(
      ({ path, body }) => `${fieldText(path)}: ${body}`,
    );
    const told = said.filter((line) => line.startsWith('metadata') && !line.includes('were not checked'));
    expect(told).toHaveLength(words.length);
    for (const [at, word] of words.entries()) expect(told[at]).toContain(word);
  });

  test.each([...metadataSpecimens, ...unsentSpecimens])('of %s', (_sentence, specimen, ...words) => {
    const { kind = 'KeepalivePolicy' } = specimen;
    const said = verdictOn(kind, withMetadata(specimen)).map(
      ({ path, body, nowhere }) => `${nowhere ? '<nil>' : fieldText(path)}: ${body}`,
    );
    expect(said.map((line, at) => line.slice(0, words[at]?.length))).toEqual(words);
  });

  test('of metadata that is none is why it cannot be read', () => {
    const object = { ...withMetadata({ metadata: {} }), metadata: 'specimen' };
    expect(verdictOn('KeepalivePolicy', object)).toMatchObject([
      { body: 'json: cannot unmarshal string into Go value of type v1.ObjectMeta' },
    ]);
  });

  test('stands at the label it is of, and says of a number what to do', () => {
    const metadata = { name: 'a', labels: { fine: 'x', 'a b': 'y' } };
    expect(verdictOn('KeepalivePolicy', withMetadata({ metadata }))).toMatchObject([
      { at: ['metadata', 'labels', 'a b'] },
    ]);
    const number = { metadata: { name: 'a', labels: { fine: 'x', count: 1 } } };
    expect(verdictOn('KeepalivePolicy', withMetadata(number))).toMatchObject([
      { path: ['metadata', 'labels', 'count'], advice: 'write it in quotes' },
    ]);
  });

  test('fields that are null are as if they were not there', () => {
    expect(verdictOn('KeepalivePolicy', objectOf(namespaced({ keepalive: null, mode: null })))).toEqual([]);
  });
});

test.each(unknownMetadata)('of metadata no schema has %s', (_sentence, metadata, ...fields) => {
  const object = withMetadata({ metadata: { name: 'a', ...metadata } });
  expect(unknownFields('KeepalivePolicy', object).map(fieldText)).toEqual(fields);
});

test('fields that no schema has are found wherever they are, and labels are none', () => {
  const spec = {
    hops: [],
    podSelector: { matchLabels: { app: 'mongo' }, matchNames: [] },
    path: [{ name: 'nat', type: 'NAT', idleTimeoutSeconds: 90, timeout: 5 }],
  };
  const object = {
    ...objectOf(namespaced(spec)),
    metadata: { name: 'a', labels: { a: 'b' }, anything: 1 },
    extra: 1,
  };
  expect(unknownFields('KeepalivePolicy', object).map(fieldText)).toEqual([
    'extra',
    'metadata.anything',
    'spec.hops',
    'spec.podSelector.matchNames',
    'spec.path[0].timeout',
  ]);
});
