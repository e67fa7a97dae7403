import { describe, expect, test } from '@jest/globals';

import { keepalive } from '../../support/command-line.ts';
import { Folder } from './folder.ts';
import { deployment, policy, yaml } from './manifests.ts';
import { behind90 } from './rendered.ts';

/** As `helm create` writes it: it happens to be YAML. */
const chart = yaml(deployment({ securityContext: 'VALUES' })).replace(
  'VALUES',
  '{{ toYaml .Values.podSecurityContext }}',
);
const quoted = yaml(policy()).replace('idleTimeoutSeconds: 90', 'idleTimeoutSeconds: "{{ .Values.idle }}"');

describe('a template of a chart that is YAML', () => {
  test('is found in a folder, passed over and left as it is', async () => {
    using folder = new Folder({ 'chart.yaml': chart, 'policies.yaml': behind90 });
    const checked = await keepalive(['check'], { cwd: folder.path });
    expect(checked.code).toBe(0);
    expect(checked.stdout).toMatch(
      /^chart\.yaml:\d+:\d+: note: passed over: it is a template.* \[template-text\]$/m,
    );
    const rendered = await keepalive(['render', '--write'], { cwd: folder.path });
    expect(rendered).toMatchObject({ code: 0, stdout: '' });
    expect(rendered.stderr).toContain('nothing to change');
    expect(folder.read('chart.yaml')).toBe(chart);
  });

  test('cannot be read where it is named, or piped in', async () => {
    using folder = new Folder({ 'chart.yaml': chart, 'policies.yaml': behind90 });
    const named = ['-f', 'chart.yaml', '-f', 'policies.yaml'];
    for (const argv of [
      ['check', ...named],
      ['render', '--write', ...named],
      ['check', '-f', '-'],
    ]) {
      const { code, stdout, stderr } = await keepalive(argv, { cwd: folder.path, stdin: chart });
      expect(code).toBe(2);
      expect(stdout + stderr).toMatch(/:\d+:\d+: error: it cannot be read as YAML: invalid map key/);
    }
    expect(folder.read('chart.yaml')).toBe(chart);
  });
});

test('no other document of its file is passed over with it, whatever has braces', async () => {
  const slip = yaml(policy()).replace('idleTimeoutSeconds: 90', 'idleTimeoutSeconds: 90s');
  const rule = yaml({
    ...{ apiVersion: 'monitoring.coreos.com/v1', kind: 'PrometheusRule', metadata: { name: 'down' } },
    spec: { groups: [{ rules: [{ annotations: { summary: '{{ $labels.pod }} is down' } }] }] },
  });
  const service =
    'apiVersion: v1\nkind: Service\nmetadata: { name: a }\nspec:\n  selector: { a: b }\n  selector: { a: c }\n';
  const broken = [slip, rule, service];
  using folder = new Folder({ 'all.yaml': broken.join('---\n') });
  for (const documents of [broken, [...broken, chart], broken.toReversed()]) {
    folder.write('all.yaml', documents.join('---\n'));
    const { code, stdout } = await keepalive(['check'], { cwd: folder.path });
    expect(code).toBe(2);
    expect(stdout).toContain('spec.path[0].idleTimeoutSeconds: Invalid value: "90s"');
    expect(stdout).toMatch(/error: it cannot be read as YAML: Map keys must be unique \[unreadable\]$/m);
    expect(stdout.match(/\[template-text\]$/gm) ?? []).toHaveLength(documents.includes(chart) ? 1 : 0);
  }
});

describe('a policy of a chart with a value that is put in later', () => {
  test('is passed over in a folder, and the workloads beside it are rendered', async () => {
    using folder = new Folder({
      'chart.yaml': quoted,
      'policies.yaml': behind90,
      'app.yaml': yaml(deployment()),
    });
    const { code, stdout } = await keepalive(['check'], { cwd: folder.path });
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^chart\.yaml:\d+:\d+: note: KeepalivePolicy db\/behind-the-nat: passed over: it is a template/,
    );
    expect(await keepalive(['render', '--write'], { cwd: folder.path })).toMatchObject({ code: 0 });
    expect(folder.read('app.yaml')).toContain('value: "30"');
  });

  test('is refused where it is named, and for whatever else is wrong with it', async () => {
    using folder = new Folder({ 'chart.yaml': quoted });
    const named = await keepalive(['check', '-f', 'chart.yaml'], { cwd: folder.path });
    expect(named.code).toBe(1);
    folder.write('chart.yaml', `${quoted}  mode: Dry\n`);
    const { code, stdout } = await keepalive(['check'], { cwd: folder.path });
    expect(code).toBe(1);
    expect(stdout).toContain('spec.mode: Unsupported value: "Dry"');
  });
});
