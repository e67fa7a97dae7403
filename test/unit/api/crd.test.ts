import { describe, expect, test } from '@jest/globals';
import * as z from 'zod';

import { crdOf, kinds, policyKinds, structuralSchema } from '../../../src/api/crd.ts';
import type { KindName, PolicyKind } from '../../../src/api/group.ts';
import { unseenStatus } from '../../../src/api/status.ts';
import type { SchemaNode } from './served-schema.ts';
import { servedVersion } from './served-schema.ts';

interface Place {
  readonly at: string;
  readonly node: SchemaNode;
}

/** A node and every one below it. */
function* nodes(node: SchemaNode, at: string): Generator<Place> {
  yield { at, node };
  for (const [name, member] of Object.entries(node.properties ?? {})) yield* nodes(member, `${at}.${name}`);
  if (node.items !== undefined) yield* nodes(node.items, `${at}[]`);
  if (node.additionalProperties !== undefined) yield* nodes(node.additionalProperties, `${at}{}`);
}

const schemaOf = (kind: KindName) => servedVersion(kind).schema.openAPIV3Schema;
const placesIn = (kind: KindName, section?: 'spec') =>
  [...nodes(schemaOf(kind), '')].filter(({ at }) => section === undefined || at.startsWith(`.${section}`));
const wrong = (places: readonly Place[], is: (place: Place) => boolean) =>
  places.filter((place) => !is(place)).map(({ at }) => at);

/** It lets a text pass, and its first rule does not. */
const isRefusedAsText = (node: SchemaNode) =>
  node['x-kubernetes-int-or-string'] === true &&
  node['x-kubernetes-validations']?.[0]?.rule === 'type(self) == int';

describe.each(Object.keys(kinds) as KindName[])('the CRD of %s', (kind) => {
  test('has a name that is made of its plural and its group', () => {
    const { metadata, spec } = crdOf(kinds[kind]) as {
      metadata: { name: string };
      spec: { group: string; names: { plural: string; kind: string } };
    };
    expect(metadata.name).toBe(`${spec.names.plural}.${spec.group}`);
    expect(spec.names.kind).toBe(kind);
  });

  test('has keywords of structural schemas only', () => {
    const forbidden = [
      '$ref',
      'anyOf',
      'oneOf',
      'allOf',
      'not',
      'definitions',
      '$schema',
      'propertyNames',
      'const',
    ];
    const used = placesIn(kind).flatMap(({ at, node }) =>
      forbidden.filter((keyword) => keyword in node).map((keyword) => `${at}: ${keyword}`),
    );
    expect(used).toEqual([]);
  });

  test('has a type everywhere, and members that are named or like each other, never both', () => {
    expect(
      wrong(placesIn(kind), ({ node }) => typeof node.type === 'string' || isRefusedAsText(node)),
    ).toEqual([]);
    expect(
      wrong(placesIn(kind), ({ node }) => node.properties === undefined || !('additionalProperties' in node)),
    ).toEqual([]);
  });

  test('says of every list how server-side apply merges it', () => {
    const lists = placesIn(kind).filter(({ node }) => node.type === 'array');
    expect(lists.length).toBeGreaterThan(2);
    expect(
      wrong(lists, ({ node }) => ['atomic', 'map'].includes(node['x-kubernetes-list-type'] ?? '')),
    ).toEqual([]);
  });

  test('has columns that show fields it has', () => {
    const known = new Set(['.metadata.creationTimestamp', ...placesIn(kind).map(({ at }) => at)]);
    const shown = servedVersion(kind).additionalPrinterColumns.map(({ jsonPath }) =>
      jsonPath.replace(/\[[^\]]*\]/g, '[]'),
    );
    expect(shown.length).toBeGreaterThan(4);
    expect(shown.filter((path) => !known.has(path))).toEqual([]);
  });
});

describe.each(Object.keys(policyKinds) as PolicyKind[])('the CRD of %s', (kind) => {
  test('explains every field under spec', () => {
    const fields = placesIn(kind, 'spec').filter(({ at }) => !at.endsWith('[]') && !at.endsWith('{}'));
    expect(fields.length).toBeGreaterThan(10);
    expect(wrong(fields, ({ node }) => (node.description ?? '').endsWith('.'))).toEqual([]);
  });

  test('bounds everything under spec: the API server reckons the cost of rules with it', () => {
    const bounded = (node: SchemaNode) =>
      (node.type === 'array' && node.maxItems !== undefined) ||
      (node.type === 'string' && (node.maxLength !== undefined || node.enum !== undefined)) ||
      (node.additionalProperties !== undefined && node.maxProperties !== undefined);
    const open = placesIn(kind, 'spec').filter(
      ({ node }) => ['array', 'string'].includes(node.type ?? '') || node.additionalProperties !== undefined,
    );
    expect(open.length).toBeGreaterThan(10);
    expect(wrong(open, ({ node }) => bounded(node))).toEqual([]);
  });

  test('fills in mode, openConnections and that nobody has looked yet: what is derived stays visible as derived', () => {
    const defaults = placesIn(kind).filter(({ node }) => 'default' in node);
    expect(Object.fromEntries(defaults.map(({ at, node }) => [at, node.default]))).toEqual({
      '.spec.mode': 'Enforce',
      '.spec.openConnections': 'Repair',
      '.status': unseenStatus,
    });
  });
});

test('a union is refused, since it has no structural form', () => {
  expect(() => structuralSchema(z.object({ port: z.union([z.string(), z.int()]) }))).toThrow('union');
});

test('a closed object is no different from an open one: the API server drops unknown fields of both', () => {
  const fields = { port: z.int().describe('A port.') };
  expect(structuralSchema(z.strictObject(fields))).toEqual(structuralSchema(z.object(fields)));
});
