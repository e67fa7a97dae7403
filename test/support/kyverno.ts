import { join } from 'node:path';

import { control } from '../cluster/addresses.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { provide } from '../cluster/prepare.ts';
import type { ProcessEntry } from '../cluster/process.ts';
import { kyverno } from '../cluster/program.ts';
import { documentsOf } from './manifest.ts';

const home = 'kyverno';
const port = 9443;

/** Its own modules are compiled first where they are not cached: half an hour on two cores. */
export const kyvernoBuildMs = 3_600_000;

export function buildKyverno(): Promise<void> {
  return provide({ programs: [kyverno()] }, undefined);
}

/** As its chart sets it up, but beside the API server instead of in a pod: `--serverIP` is for that. */
export async function startKyverno(cluster: Cluster): Promise<ProcessEntry> {
  const { place } = kyverno();
  await cluster.kubectl('apply', '--server-side', '-R', '-f', join(place, 'crds'));
  const configMap = (name: string, data: object) => ({
    ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: home } },
    data,
  });
  const objects = [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: home } },
    configMap('kyverno', { resourceFilters: '[Event,*,*]' }),
    configMap('kyverno-metrics', {}),
  ];
  await cluster.apply(documentsOf(objects));
  const argv = [
    join(place, 'kyverno'),
    ...[`--kubeconfig=${cluster.kubeconfig}`, `--serverIP=${control.v4}:${port}`],
    ...[`--webhookServerPort=${port}`, '--caSecretName=kyverno-ca', '--tlsSecretName=kyverno-tls'],
    ...['--admissionReports=false', '--disableMetrics=true', '--controllerRuntimeMetricsAddress=0'],
  ];
  const host = await cluster.lab.host('control');
  await host.start(argv, {
    logFile: join(cluster.lab.folder, 'log/kyverno.log'),
    env: cluster.environment({
      ...{ KYVERNO_NAMESPACE: home, KYVERNO_SERVICEACCOUNT_NAME: home, KYVERNO_DEPLOYMENT: home },
      ...{ KYVERNO_POD_NAME: home, INIT_CONFIG: 'kyverno', METRICS_CONFIG: 'kyverno-metrics' },
    }),
  });
  const started = host.find(argv);
  if (started === undefined) throw new Error('Kyverno ended as soon as it was started');
  return started;
}
