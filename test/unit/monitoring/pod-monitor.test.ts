import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from '@jest/globals';
import { parseAllDocuments } from 'yaml';

const deploy = join(import.meta.dirname, '../../../deploy');

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly namespace: string };
  readonly spec: {
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
    readonly template?: { readonly metadata: { readonly labels: Readonly<Record<string, string>> } };
  };
}

const manifestsOf = (file: string) =>
  parseAllDocuments(readFileSync(join(deploy, file), 'utf8')).map((one) => one.toJS() as Manifest);

/** User workload monitoring of OpenShift looks nowhere else. */
test.each([
  ['Deployment', 'controller.yaml'],
  ['DaemonSet', 'agent.yaml'],
])('pods of the %s are scraped by one PodMonitor, which is in their own namespace', (kind, file) => {
  const workload = manifestsOf(file).find((one) => one.kind === kind);
  const labels = workload?.spec.template?.metadata.labels ?? {};
  const monitors = manifestsOf('monitoring/pod-monitor.yaml').filter(({ spec }) =>
    Object.entries(spec.selector.matchLabels).every(([key, value]) => labels[key] === value),
  );
  expect(monitors.map(({ metadata }) => metadata.namespace)).toEqual([workload?.metadata.namespace]);
  expect(monitors[0]?.spec).not.toHaveProperty('namespaceSelector');
});

/** Each process has metrics of its own: a Service would answer with those of any one of them. */
test('no Service leads to metrics, and pods say by annotations where theirs are', () => {
  const texts = globSync('**/*.yaml', { cwd: deploy }).map(
    (path) => [path, readFileSync(join(deploy, path), 'utf8')] as const,
  );
  const services = texts.filter(([, text]) => /^kind: Service$/m.test(text)).map(([path]) => path);
  expect(services.sort()).toEqual([
    'chart/templates/webhook-service.yaml',
    'components/webhook/service.yaml',
  ]);
  const scraped = texts.filter(([, text]) => text.includes("prometheus.io/scrape: 'true'"));
  expect(scraped.map(([path]) => path)).toEqual(expect.arrayContaining(['agent.yaml', 'controller.yaml']));
});
