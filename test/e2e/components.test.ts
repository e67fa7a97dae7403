import { globSync } from 'node:fs';
import { basename, join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { repository } from '../cluster/place.ts';
import { buildMs } from '../support/helm.ts';
import { built, kustomizeProgram } from '../support/kustomize.ts';
import type { Manifest } from '../support/manifest.ts';
import { titleOf } from '../support/manifest.ts';
import { Overlays } from '../support/overlay.ts';
import { Page } from '../unit/docs/page.ts';

const overlays = new Overlays();
beforeAll(kustomizeProgram, buildMs);
afterAll(() => {
  overlays.remove();
});

/** As docs/install.md says that they are to be named. */
const [, sentence = ''] = /^In this order: (.+)\.$/m.exec(new Page('docs/install.md').text) ?? [];
const ordered = [...sentence.matchAll(/`([\w-]+)`/g)].map(([, name = '']) => name);
const pairs = ordered.flatMap((first, at) => ordered.slice(at + 1).map((second) => [first, second] as const));

/** Where its objects are, and whom they let in or call, by the fields that name a namespace alone. */
function namespacesIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]: [string, unknown]) =>
    name === 'namespace' && typeof inner === 'string' ? [inner] : namespacesIn(inner),
  );
}

/** Namespaces that are named, and would not be there. */
function missingIn(objects: readonly Manifest[]): string[] {
  const rendered = objects.filter(({ kind }) => kind === 'Namespace').map(({ metadata }) => metadata.name);
  const named = objects.filter(({ kind }) => !kind.includes('Admission') || kind.includes('Webhook'));
  return [...new Set(named.flatMap(namespacesIn))].filter((name) => !rendered.includes(name));
}

const selector = 'openshift.io/node-selector';
let builds = 0;
const build = (...components: readonly string[]) =>
  built(overlays.write(`${(builds += 1)}-${components.join('-then-')}`, { components }));

test('the page names every component in the order that it asks for', () => {
  const all = globSync(join(repository, 'deploy/components/*')).map((folder) => basename(folder));
  expect([...ordered].sort()).toEqual(all.sort());
});

describe('two components, in the order of the page, need no namespace that they do not render', () => {
  test.each(pairs)('%s, %s', async (...components) => {
    // The one of both is made by whoever chose it: the page says so.
    expect(missingIn(await build(...components))).toEqual(
      components.includes('one-namespace') ? ['platform'] : [],
    );
  });
});

test.each([
  ['one-namespace', 'webhook', 'keepalive-system'],
  ['controller-only', 'openshift', 'keepalive-agent'],
])('%s before %s would be found', async (first, second, missing) => {
  expect(missingIn(await build(first, second))).toContain(missing);
});

test('whatever controller-only takes out of an overlay has the label by which the page takes it out of a cluster', async () => {
  const left = (await build('openshift', 'controller-only')).map(titleOf);
  const taken = (await build('openshift')).filter((object) => !left.includes(titleOf(object)));
  expect(taken.length).toBeGreaterThan(10);
  const others = taken.filter(
    ({ metadata: { labels } }) => labels?.['app.kubernetes.io/component'] !== 'agent',
  );
  // It goes by its name, and only where it was made for the agents.
  expect(others.map(titleOf)).toEqual(['Namespace keepalive-agent']);
});

test('openshift takes the namespace of the agents, and no other, out of the default node selector', async () => {
  const annotated = (await build('openshift')).filter(
    ({ metadata }) => metadata.annotations?.[selector] === '',
  );
  expect(annotated.map(titleOf)).toEqual(['Namespace keepalive-agent']);
});

test('one-namespace has no namespace among its objects, with which all that is in it would go', async () => {
  expect((await build('one-namespace')).filter(({ kind }) => kind === 'Namespace')).toEqual([]);
});
