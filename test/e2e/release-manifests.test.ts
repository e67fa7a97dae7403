import { beforeAll, expect, test } from '@jest/globals';

import { installManifest } from '../../scripts/release/manifests.ts';
import { buildMs } from '../support/helm.ts';
import { kustomizeProgram } from '../support/kustomize.ts';
import { manifestsOf } from '../support/manifest.ts';

beforeAll(kustomizeProgram, buildMs);

const image = { repository: 'registry.example/keepalive-operator', digest: `sha256:${'1'.repeat(64)}` };

test.each([
  ['install.yaml', 'MutatingAdmissionPolicy', 'MutatingWebhookConfiguration'],
  // A cluster before 1.36 knows no such kind, and refuses the file.
  ['install-webhook.yaml', 'MutatingWebhookConfiguration', 'MutatingAdmissionPolicy'],
] as const)('%s changes new pods by a %s and has no %s', async (file, has, hasNot) => {
  const text = await installManifest(file, image);
  const kinds = manifestsOf(text).map(({ kind }) => kind);
  expect(kinds).toEqual(expect.arrayContaining([has, 'Deployment', 'DaemonSet']));
  expect(kinds.filter((kind) => kind.startsWith(hasNot))).toEqual([]);
  expect(text.split(`image: ${image.repository}@${image.digest}`)).toHaveLength(3);
});
