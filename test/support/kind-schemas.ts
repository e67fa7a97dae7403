import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { parse } from 'yaml';

import { fill, placeFor } from '../cluster/cache.ts';
import { fetchModule } from '../cluster/go.ts';
import { repository } from '../cluster/place.ts';
import type { Schema } from './strict-schema.ts';
import { strict, strictOfEach } from './strict-schema.ts';

const prometheusOperator = '0.85.0';
const objectMeta = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';
const quantity = 'io.k8s.apimachinery.pkg.api.resource.Quantity';

interface Kind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

interface Definition extends Kind {
  readonly schema: Schema;
}

/** Where kubeconform finds a kind in such a folder. */
export const schemaLocation = '{{ .Group }}/{{ .ResourceAPIVersion }}/{{ .ResourceKind }}.json';

/**
 * A folder with a schema for each kind: of Kubernetes by what the API server of that version says of itself, of ours by crds/, of the
 * Prometheus operator by its own definitions.
 */
export async function kindSchemas(kubernetes: string): Promise<string> {
  const ours = definitionsBelow(join(repository, 'crds'));
  const makers = ['kind-schemas.ts', 'strict-schema.ts'].map((file) =>
    readFileSync(join(import.meta.dirname, file)),
  );
  const place = placeFor('schemas', kubernetes, [...makers, JSON.stringify(ours)]);
  await fill(place, async (folder) => {
    const { Dir: source } = await fetchModule('k8s.io/kubernetes', kubernetes);
    const { definitions: described } = JSON.parse(
      readFileSync(join(source, 'api/openapi-spec/swagger.json'), 'utf8'),
    ) as { definitions: Record<string, Schema> };
    const { Dir: operator } = await fetchModule(
      'github.com/prometheus-operator/prometheus-operator',
      prometheusOperator,
    );
    const definitions = {
      ...strictOfEach(described),
      // As text is how it is sent; files have numbers too.
      [quantity]: { type: ['string', 'number'] },
    };
    for (const one of builtIn(described)) write(folder, one, definitions);
    for (const one of [...ours, ...definitionsBelow(join(operator, 'example/prometheus-operator-crd'))])
      write(folder, one, definitions);
  });
  return place;
}

function write(
  folder: string,
  { group, version, kind, schema }: Definition,
  all: Readonly<Record<string, Schema>>,
): void {
  // What kubeconform takes for the group of a kind of the core is its version.
  const below = join(folder, group === '' ? version : group, version);
  mkdirSync(below, { recursive: true });
  const definitions = reachable(schema, all);
  writeFileSync(join(below, `${kind.toLowerCase()}.json`), JSON.stringify({ ...schema, definitions }));
}

/** Definitions that a schema refers to, and that those refer to in turn. */
function reachable(from: Schema, all: Readonly<Record<string, Schema>>): Record<string, Schema> {
  const found = new Map<string, Schema>();
  const pending = [from];
  for (let schema = pending.pop(); schema !== undefined; schema = pending.pop())
    for (const [, name = ''] of JSON.stringify(schema).matchAll(/"#\/definitions\/([^"]+)"/g)) {
      if (found.has(name)) continue;
      const definition = all[name] ?? {};
      found.set(name, definition);
      pending.push(definition);
    }
  return Object.fromEntries(found);
}

function builtIn(described: Readonly<Record<string, Schema>>): Definition[] {
  return Object.entries(described).flatMap(([name, schema]) => {
    const kinds = (schema['x-kubernetes-group-version-kind'] ?? []) as readonly Kind[];
    return kinds.map((kind) => ({ ...kind, schema: { $ref: `#/definitions/${name}` } }));
  });
}

interface CustomResourceDefinition {
  readonly spec: {
    readonly group: string;
    readonly names: { readonly kind: string };
    readonly versions: readonly {
      readonly name: string;
      readonly schema: { readonly openAPIV3Schema: Schema };
    }[];
  };
}

function definitionsBelow(folder: string): Definition[] {
  const files = readdirSync(folder).filter((file) => file !== 'kustomization.yaml');
  return files.sort().flatMap((file) => {
    const { spec } = parse(readFileSync(join(folder, file), 'utf8')) as CustomResourceDefinition;
    return spec.versions.map(({ name: version, schema: { openAPIV3Schema } }) => ({
      ...{ group: spec.group, version, kind: spec.names.kind },
      schema: withMetadata(strict(openAPIV3Schema)),
    }));
  });
}

/** A definition only says that there is metadata; what that is, Kubernetes knows. */
function withMetadata(schema: Schema): Schema {
  const properties = { ...(schema.properties as object), metadata: { $ref: `#/definitions/${objectMeta}` } };
  return { ...schema, properties };
}
