import { describe, expect, test } from '@jest/globals';

import { crdOf, kinds } from '../../../src/api/crd.ts';
import type { SchemaNode } from '../../../src/api/schema-node.ts';
import { k9sPlugins, k9sViews } from '../../../scripts/monitoring/k9s.ts';
import { kubeStateMetrics } from '../../../scripts/monitoring/kube-state.ts';
import { Page } from '../docs/page.ts';

interface Crd {
  readonly spec: {
    readonly scope: string;
    readonly versions: readonly {
      readonly additionalPrinterColumns: readonly { readonly name: string }[];
      readonly schema: { readonly openAPIV3Schema: SchemaNode };
    }[];
  };
}

const versionOf = (kind: keyof typeof kinds) => {
  const [version] = (crdOf(kinds[kind]) as unknown as Crd).spec.versions;
  if (version === undefined) throw new Error(`${kind} has no version`);
  return version;
};

/** Follows fields, and items of lists by the way. */
function nodeAt(node: SchemaNode | undefined, path: readonly string[]): SchemaNode | undefined {
  const [name, ...rest] = path;
  const inner = node?.items ?? node;
  return name === undefined ? inner : nodeAt(inner?.properties?.[name], rest);
}

describe('kube-state-metrics', () => {
  const { resources } = kubeStateMetrics().spec;

  test('is told of each kind', () => {
    expect(resources.map(({ groupVersionKind: { kind } }) => kind)).toEqual(Object.keys(kinds));
  });

  test.each(
    resources.flatMap(({ groupVersionKind: { kind }, metrics }) =>
      metrics.map((metric) => [kind, metric.name, metric.each.gauge] as const),
    ),
  )('finds in a %s what %s is read from, and what labels it', (kind, _, { path, ...gauge }) => {
    const root = versionOf(kind as keyof typeof kinds).schema.openAPIV3Schema;
    const value = nodeAt(root, [...path, ...(gauge.valueFrom ?? [])]);
    expect(value?.type === 'integer' || value?.enum?.includes('True')).toBe(true);
    for (const label of Object.values(gauge.labelsFromPath ?? {}))
      expect(nodeAt(root, [...path, ...label])?.type).toBe('string');
  });
});

describe('k9s', () => {
  test.each(Object.entries(k9sViews().views))('%s: shows columns that kubectl has', (name, { columns }) => {
    const kind = Object.values(kinds).find(({ plural }) => name.endsWith(`/${plural}`))?.kind;
    const own = versionOf(kind ?? 'NodeKeepalive').additionalPrinterColumns.map((one) =>
      one.name.toUpperCase(),
    );
    const usual = ['NAME', ...(kind === 'KeepalivePolicy' ? ['NAMESPACE'] : [])];
    expect([...own, ...usual]).toEqual(expect.arrayContaining([...columns]));
  });

  test.each(Object.entries(k9sPlugins().plugins))('%s: calls the tool as it is called', (_, { args }) => {
    const [, name = '', options = ''] = /^keepalive (\w+) (.*?) 2>&1/.exec(args[1] ?? '') ?? [];
    const usage = new Page('docs/cli-reference.md').text.split(/^## /m);
    const section = usage.find((one) => one.startsWith(`keepalive ${name}\n`));
    expect(section).toBeDefined();
    for (const option of options.match(/--\w+/g) ?? []) expect(section).toContain(option);
  });
});
