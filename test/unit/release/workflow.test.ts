import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from '@jest/globals';
import { parse } from 'yaml';

const root = join(import.meta.dirname, '../../..');

interface Step {
  readonly name: string;
  readonly run?: string;
  readonly uses?: string;
}

const workflow = parse(readFileSync(join(root, '.github/workflows/release.yaml'), 'utf8')) as {
  permissions: object;
  jobs: { release: { steps: readonly Step[] } };
};
const { steps } = workflow.jobs.release;

test('a release is made by commands, and by no action whose content others may change', () => {
  expect(workflow.permissions).toEqual({});
  expect(steps.length).toBeGreaterThan(3);
  expect(steps.filter(({ run, uses }) => run === undefined || uses !== undefined)).toEqual([]);
});

test.each(steps.map(({ name, run = '' }) => [name, run] as const))(
  '%s: a shell can read it',
  (_name, run) => {
    const { status, stderr } = spawnSync('bash', ['-n'], { input: run, encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, '']);
    // A value that the forge puts into the text of a script would be read as a part of it.
    expect(run).not.toContain('${{');
  },
);
