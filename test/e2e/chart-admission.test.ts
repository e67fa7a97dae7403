import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from '@jest/globals';

import { buildHelms, buildMs, rendered } from '../support/helm.ts';
import { Page } from '../unit/docs/page.ts';

const folder = mkdtempSync(join(tmpdir(), 'keepalive-admission-'));
beforeAll(buildHelms, buildMs);
afterAll(() => rmSync(folder, { recursive: true }));

test.each(['argocd', 'flux'])(
  'with the values that the page of %s has for the way to 1.36, a cluster that is there keeps the webhook',
  async (name) => {
    const values = new Page(`docs/${name}.md`).blocks('yaml').filter((text) => text.startsWith('admission:'));
    const file = join(folder, `${name}.yaml`);
    writeFileSync(file, values.join(''));
    const objects = await rendered('Helm 4', ['--kube-version', '1.36.0', '--values', file]);
    const kinds = objects.map(({ kind }) => kind);
    expect(kinds).toContain('MutatingWebhookConfiguration');
    expect(kinds).not.toContain('MutatingAdmissionPolicy');
  },
);
