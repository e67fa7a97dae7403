import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import type { PolicyStatus } from '../../src/api/status.ts';
import { kubeStateMetrics } from '../../scripts/monitoring/kube-state.ts';
import { Cluster } from '../cluster/cluster.ts';
import { repository } from '../cluster/place.ts';
import { provide } from '../cluster/prepare.ts';
import { k9s, kubeStateMetrics as stateMetrics } from '../cluster/program.ts';
import { until } from '../cluster/wait.ts';
import { Bench, ckap, condition, kap, sleeper } from '../e2e/shared.ts';
import { buildMs } from '../support/helm.ts';

/** What deploy/monitoring has for kube-state-metrics and k9s, in these themselves. */
const namespace = 'watched';
const files = join(repository, 'deploy/monitoring');
const team = { kind: 'kap', name: 'team', namespace } as const;
const platform = { kind: 'ckap', name: 'platform' } as const;
let cluster: Cluster;

beforeAll(async () => {
  await provide({ programs: [stateMetrics(), k9s()] }, undefined);
  cluster = await Cluster.up({ name: 'e2e-tools', nodes: 1, owned: true });
  const bench = new Bench(cluster);
  await cluster.install();
  await bench.namespace(namespace);
  const namespaceSelector = { matchLabels: { 'kubernetes.io/metadata.name': namespace } };
  await bench.apply(
    kap(namespace, 'team', 90),
    ckap('platform', 240, { namespaceSelector, nodes: { selector: {} } }),
  );
  await bench.start(sleeper('app', namespace));
  const isCovered = (status: PolicyStatus) => condition(status, 'Covered')?.status === 'True';
  for (const policy of [team, platform]) await bench.status(policy, isCovered, 240_000);
}, buildMs);
afterAll(() => cluster.down());

interface Series {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

describe('kube-state-metrics', () => {
  const log = () => join(cluster.lab.folder, 'log/kube-state-metrics.log');
  let series: readonly Series[];

  beforeAll(async () => {
    const host = await cluster.lab.host('control');
    await host.start(
      [
        ...[join(stateMetrics().place, 'kube-state-metrics'), `--kubeconfig=${cluster.kubeconfig}`],
        ...['--custom-resource-state-only', '--host=127.0.0.1', '--port=9095'],
        ...['--telemetry-host=127.0.0.1', '--telemetry-port=9096'],
        `--custom-resource-state-config-file=${join(files, 'kube-state-metrics.yaml')}`,
      ],
      { logFile: log(), env: cluster.environment() },
    );
    const ask = "fetch('http://127.0.0.1:9095/metrics').then(async (one) => console.log(await one.text()))";
    series = await until('it tells of all kinds', async () => {
      const { stdout } = await cluster.exec([process.execPath, '-e', ask]);
      const found = seriesIn(stdout);
      const kinds = new Set(found.map(({ labels }) => labels.customresource_kind));
      return kinds.size === kubeStateMetrics().spec.resources.length && found;
    });
  });

  test('tells each number of each kind, and complains of nothing', () => {
    const wanted = kubeStateMetrics().spec.resources.flatMap(({ groupVersionKind: { kind }, metrics }) =>
      metrics.map(({ name }) => `${kind} kube_keepalive_${name}`),
    );
    const told = series.map(({ name, labels }) => `${labels.customresource_kind} ${name}`);
    expect([...new Set(told)].sort()).toEqual(wanted.sort());
    expect(readFileSync(log(), 'utf8')).not.toMatch(/^E\d{4} /m);
  });

  test.each([
    [
      'policy_condition',
      { name: 'team', exported_namespace: namespace, type: 'Covered', reason: 'AllCovered' },
      1,
    ],
    ['policy_condition', { name: 'platform', type: 'Ready', reason: 'Enforced' }, 1],
    ['policy_idle_timeout_seconds', { name: 'team', exported_namespace: namespace }, 90],
    ['policy_findings', { name: 'team', exported_namespace: namespace }, 0],
    ['node_time_seconds', { name: 'n1' }, 80],
    ['node_pods_live', { name: 'n1' }, 1],
  ])('tells %s of %j', (name, labels, value) => {
    const found = series.filter(
      (one) =>
        one.name === `kube_keepalive_${name}` &&
        Object.entries(labels).every(([key, text]) => one.labels[key] === text),
    );
    expect(found.map((one) => one.value)).toEqual([value]);
  });
});

function seriesIn(text: string): Series[] {
  return [...text.matchAll(/^(kube_keepalive_\w+)\{(.*)\} (\S+)$/gm)].map(
    ([, name = '', labels = '', value]) => ({
      ...{ name, value: Number(value) },
      labels: Object.fromEntries(
        [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, key = '', text = '']) => [key, text]),
      ),
    }),
  );
}

describe('k9s', () => {
  /** As its log tells it, at whatever level. */
  const fault = /(?:load|validation|match) failed/i;
  let home: string;
  let program: string;

  /** A folder of its own for k9s, with our views and these plugins. */
  function homeWith(name: string, plugins: string): string {
    const folder = join(cluster.lab.folder, name);
    mkdirSync(folder);
    copyFileSync(join(files, 'k9s-views.yaml'), join(folder, 'views.yaml'));
    writeFileSync(join(folder, 'plugins.yaml'), plugins);
    return folder;
  }
  const plugins = readFileSync(join(files, 'k9s-plugins.yaml'), 'utf8');
  const logOf = (folder: string) => readFileSync(join(folder, 'log'), 'utf8');

  beforeAll(() => {
    home = homeWith('k9s', plugins);
    program = join(cluster.lab.folder, 'k9s-path');
    mkdirSync(program);
    const tool = `#!/bin/sh\nexec ${process.execPath} ${join(repository, 'src/cli/main.ts')} "$@"\n`;
    writeFileSync(join(program, 'keepalive'), tool, { mode: 0o755 });
  });

  /** All that its screen had until somebody sees what he waits for; a key is pressed once it shows what the key is for. */
  async function screen(
    [view, ...where]: readonly string[],
    sought: RegExp,
    { folder = home, press }: { folder?: string; press?: { at: RegExp; key: string } } = {},
  ): Promise<string> {
    const config = `--kubeconfig ${cluster.kubeconfig} --headless --logFile ${folder}/log`;
    const line = `stty cols 200 rows 50; ${join(k9s().place, 'k9s')} ${config} --command ${view} ${where.join(' ')}`;
    const path = `${program}:${cluster.environment().PATH}`;
    const env = { TERM: 'xterm', K9S_CONFIG_DIR: folder, PATH: path };
    const child = cluster.spawn(['script', '-qec', line, '/dev/null'], { stdio: 'pipe', env });
    let shown = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (shown += text));
    const words = () => shown.replaceAll(/\u001B(?:\[[0-9;?]*[A-Za-z]|[()][A-Z0-9]|[=>])/g, ' ');
    try {
      const shows = () => {
        // Again where nothing was selected yet; the pager that follows takes it for a step back.
        if (press?.at.test(words())) child.stdin?.write(press.key);
        return sought.test(words());
      };
      await until(`k9s shows ${sought}`, shows, { everyMs: 1000 });
      return words();
    } catch (error) {
      throw new Error(`${String(error)}; its screen: ${words().slice(-4000)}; its log: ${logOf(folder)}`);
    } finally {
      child.kill('SIGKILL');
    }
  }

  test.each([
    [
      'keepalivepolicies',
      ['NAMESPACE', 'NAME', 'READY', 'COVERED', 'PODS', 'TIMEOUT', 'TIME', 'MODE', 'AGE'],
    ],
    [
      'clusterkeepalivepolicies',
      ['NAME', 'READY', 'COVERED', 'PODS', 'HOSTS', 'TIMEOUT', 'TIME', 'MODE', 'AGE'],
    ],
    ['nodekeepalives', ['NAME', 'HOST-TIME', 'PODS', 'AGENT', 'AGE']],
  ])('shows of %s what its view says, in that order', async (view, columns) => {
    const shown = await screen([view, '--all-namespaces'], new RegExp(columns.join('\\W+')));
    expect(shown).toMatch(new RegExp(columns.join('\\W+')));
  });

  test.each([
    ['pods', 'why', /\bapp\b/, /pod watched\/app on n1: covered/],
    ['keepalivepolicies', 'status', /\bteam\b/, /POLICY\W+BEHIND\W+VALUES/],
  ])('asks the tool from the list of %s at a key: %s', async (view, _, at, answer) => {
    const shown = await screen([view, '--namespace', namespace], answer, { press: { at, key: 'K' } });
    expect(shown).toMatch(answer);
  });

  test('finds no fault with views and plugins', () => {
    expect(logOf(home)).not.toMatch(fault);
  });

  test.each([
    ['without a command', (text: string) => text.replaceAll(/^ +command: .*\n/gm, '')],
    ['with a key that there is not', (text: string) => text.replaceAll('Shift-K', 'Shift-Keepalive')],
    ['with a key that is taken', (text: string) => text.replaceAll('Shift-K', 'Shift-N')],
  ])('would find fault with plugins %s', async (what, spoilt) => {
    const folder = homeWith(`k9s-${what.replaceAll(' ', '-')}`, spoilt(plugins));
    await screen(['pods', '--namespace', namespace], /\bapp\b/, { folder });
    await until('its log tells', () => fault.test(logOf(folder)));
    expect(logOf(folder)).toMatch(fault);
  });
});
