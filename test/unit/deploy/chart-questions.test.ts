import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from '@jest/globals';

import { repository } from '../../cluster/place.ts';
import { Page } from '../docs/page.ts';

const folder = join(repository, 'deploy/chart/templates');
/** What Helm does, and not what is said beside it. */
const actions = readdirSync(folder)
  .map((name) => readFileSync(join(folder, name), 'utf8').replaceAll(/\{\{-? \/\*.*?\*\/ -?\}\}/gs, ''))
  .flatMap((text) => [...text.matchAll(/\{\{.*?\}\}/gs)].map(([action]) => action));

test('the chart asks the cluster what its README says, and nothing else', () => {
  const asked = actions.flatMap((action) =>
    [...action.matchAll(/\.Capabilities\.(\w+)|\blookup "[^"]*" "(\w+)"/g)].map(
      ([, capability, kind]) => capability ?? kind,
    ),
  );
  expect(asked).toEqual(['APIVersions', 'KubeVersion', 'CustomResourceDefinition']);
  expect(actions.filter((action) => /\blookup\b/.test(action))).toHaveLength(1);
  const page = new Page('deploy/chart/README.md').text;
  expect(page).toContain('whether it serves MutatingAdmissionPolicy');
  expect(page).toContain('One question more is asked of it, in an upgrade with `crds.enabled=false`');
});

test('nothing in the chart is random, or another at each rendering', () => {
  expect(actions.length).toBeGreaterThan(200);
  expect(actions.filter((one) => /\b(?:rand\w+|gen[A-Z]\w+|uuidv4|now|htpasswd|bcrypt)\b/.test(one))).toEqual(
    [],
  );
});
