import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { describe, expect, test } from '@jest/globals';
import type { Log } from 'sarif';

import { formatNames } from '../../../src/cli/format.ts';
import { remarkKinds } from '../../../src/cli/remark.ts';
import { remarkWriters } from '../../../src/cli/remark-output.ts';
import { keepalive } from '../../support/command-line.ts';
import { Page } from '../docs/page.ts';
import { Folder } from './folder.ts';
import { declaring, deployment, nat, policy, time, yaml } from './manifests.ts';

const root = join(import.meta.dirname, '../../..');

describe('as', () => {
  const bad = yaml(
    policy({ mode: 'Dry', path: [nat, { preset: 'envoy-tcp' }] }),
    deployment({ hostNetwork: true, ...declaring(time) }),
  );

  test('annotations of a workflow, what would break a line is escaped', async () => {
    using folder = new Folder({ 'a,b.yaml': bad });
    const { stdout } = await keepalive(['check', '-o', 'github'], { cwd: folder.path });
    expect(stdout).toMatch(
      /^::error file=a%2Cb\.yaml,line=\d+,col=\d+,title=keepalive refused::KeepalivePolicy db/,
    );
  });

  test('SARIF that its multitool finds nothing wrong with', async () => {
    using folder = new Folder({ 'manifests/some app.yaml': bad });
    const { stdout } = await keepalive(['check', '-o', 'sarif'], { cwd: folder.path });
    folder.write('keepalive.sarif', stdout);
    const tool = join(root, 'node_modules/@microsoft/sarif-multitool-linux/Sarif.Multitool');
    const told = await promisify(execFile)(tool, ['validate', join(folder.path, 'keepalive.sarif')]);
    expect(told.stdout.split('\n').filter((line) => /\b(error|warning|note) /.test(line))).toEqual([]);
    expect(told.stdout).toContain('Analysis completed successfully');
    const { runs } = JSON.parse(stdout) as Log;
    const [run] = runs;
    const results = run?.results ?? [];
    expect(results.length).toBeGreaterThan(1);
    for (const { ruleId, ruleIndex = -1 } of results)
      expect(run?.tool.driver.rules?.[ruleIndex]?.id).toBe(ruleId);
  });

  test('every format that the help names', () => {
    expect([...formatNames.remarks].sort()).toEqual(Object.keys(remarkWriters).sort());
  });
});

test('docs/cli.md explains every remark, and no other', () => {
  const rows = new Page('docs/cli.md').tableAfter('### Remarks');
  expect(rows.map(([name = '', severity]) => [name.replaceAll('`', ''), severity])).toEqual(
    Object.entries(remarkKinds).map(([name, [severity]]) => [name, severity]),
  );
});
