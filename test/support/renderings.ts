import { globSync } from 'node:fs';
import { basename, join } from 'node:path';

import { repository } from '../cluster/place.ts';
import { chart } from './helm.ts';

const on = [
  'openshift.enabled',
  'networkPolicy.enabled',
  'podMonitor.enabled',
  'prometheusRule.enabled',
  'dashboards.enabled',
];

/** Values that somebody may install the chart with, by what they are called: none, all that can be switched on, and those for each platform. */
export const chartValues: Readonly<Record<string, readonly string[]>> = {
  'default values': [],
  'everything switched on': [
    ...on.flatMap((value) => ['--set', `${value}=true`]),
    ...['--set-json', 'networkPolicy.metricsFrom=[{"namespaceSelector":{}}]'],
    ...['--set-json', 'imagePullSecrets=[{"name":"registry"}]'],
    ...['--set', 'commonLabels.team=network'],
  ],
  ...Object.fromEntries(
    globSync(join(chart, 'values-*.yaml'))
      .sort()
      .map((file) => [basename(file), ['--values', file]]),
  ),
};

/** Components of deploy/components that go together. */
export const overlays: Readonly<Record<string, readonly string[]>> = {
  'the base': [],
  ...Object.fromEntries(
    globSync(join(repository, 'deploy/components/*'))
      .sort()
      .map((folder) => [basename(folder), [basename(folder)]]),
  ),
  'the webhook on OpenShift, in one namespace': ['openshift', 'webhook', 'one-namespace'],
};
