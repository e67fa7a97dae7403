import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, describe, expect, test } from '@jest/globals';

import product from '../../package.json' with { type: 'json' };
import { repository } from '../cluster/place.ts';
import { chart, helm, helmNames, rendered } from '../support/helm.ts';
import { kustomizeProgram } from '../support/kustomize.ts';
import type { Manifest } from '../support/manifest.ts';
import { byTitle, changes, manifestsOf } from '../support/manifest.ts';
import { Overlays } from '../support/overlay.ts';

const overlays = new Overlays();
afterAll(() => {
  overlays.remove();
});

async function built(folder: string): Promise<Manifest[]> {
  const { stdout } = await promisify(execFile)(await kustomizeProgram(), ['build', folder], {
    maxBuffer: 64 * 1024 * 1024,
  });
  return manifestsOf(stdout);
}

/** What only the chart says of each object. */
const ofChart = {
  'app.kubernetes.io/instance': 'keepalive',
  'app.kubernetes.io/version': product.version,
  'app.kubernetes.io/part-of': 'keepalive-operator',
  'app.kubernetes.io/managed-by': 'Helm',
  'helm.sh/chart': `keepalive-operator-${product.version}`,
};

/** Objects of the manifests, as the chart is to render them. */
function asOfChart(objects: readonly Manifest[], releaseNamespace: string): Record<string, Manifest> {
  return byTitle(
    objects
      // The namespace of a release is there before the release.
      .filter(({ kind, metadata }) => kind !== 'Namespace' || metadata.name !== releaseNamespace)
      .map((object) => ({
        ...object,
        metadata: {
          ...object.metadata,
          labels: { ...object.metadata.labels, ...ofChart },
          ...(object.kind === 'CustomResourceDefinition'
            ? { annotations: { 'helm.sh/resource-policy': 'keep' } }
            : {}),
        },
      })),
  );
}

describe.each(helmNames)('the chart, by %s', (name) => {
  test('has the objects of deploy/, field by field', async () => {
    const base = asOfChart(await built(join(repository, 'deploy')), 'keepalive-system');
    expect(Object.keys(base).length).toBeGreaterThan(30);
    expect(changes(base, byTitle(await rendered(name)))).toEqual({});
  }, 600_000);

  test('has nothing that a linter complains of', async () => {
    expect(await helm(name, ['lint', '--strict', '--kube-version', '1.37.0', chart])).toContain(
      '0 chart(s) failed',
    );
  });

  test('renders the same once more', async () => {
    expect(await rendered(name)).toEqual(await rendered(name));
  });
});
