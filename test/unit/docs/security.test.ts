import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from '@jest/globals';

import { kinds } from '../../../src/api/crd.ts';
import { GROUP } from '../../../src/api/group.ts';
import { manifestsOf } from '../../support/manifest.ts';
import { catalogue } from '../../../scripts/monitoring/catalogue.ts';
import { Page } from './page.ts';

/** Labels whose values are words of ours, or of Kubernetes. */
const ofNobody = [
  ...['version', 'component', 'node_version', 'resource', 'verb', 'code'],
  ...['answer', 'outcome', 'does', 'type', 'reason'],
];

test('the page names every label by which whoever reads the metrics learns a name of somebody', () => {
  const [, sentence = ''] =
    /of the controller the labels (.+) also name every policy/.exec(new Page('docs/security.md').text) ?? [];
  const named = [...sentence.matchAll(/`(\w+)`/g)].map(([, name]) => name);
  const labels = new Set(catalogue().flatMap((metric) => metric.labels));
  expect(named.sort()).toEqual([...labels].filter((label) => !ofNobody.includes(label)).sort());
});

test('and the agent has none of them', () => {
  const labels = catalogue()
    .filter(({ of }) => !of.startsWith('controller'))
    .flatMap((metric) => metric.labels);
  expect(labels.filter((label) => !ofNobody.includes(label))).toEqual([]);
});

test('who may view a namespace reads its own policies, and what is of the cluster by a command of its own', () => {
  const access = readFileSync(join(import.meta.dirname, '../../../deploy/access.yaml'), 'utf8');
  const view = manifestsOf(access).find(({ metadata }) => metadata.name === 'keepalive-view');
  const [{ resources, verbs }] = (view as unknown as { rules: [{ resources: string[]; verbs: string[] }] })
    .rules;
  const ofCluster = Object.values(kinds).filter(({ scope }) => scope === 'Cluster');
  expect(resources).toEqual(expect.arrayContaining(ofCluster.map(({ plural }) => plural)));
  const [command = ''] = new Page('docs/security.md').blocks('sh', 'Who may write policies');
  const asked = ofCluster.map(({ plural }) => `${plural}.${GROUP}`).join(',');
  expect(command).toContain(`--verb=${verbs.join(',')} --resource=${asked}\n`);
  expect(command).toMatch(/^kubectl create clusterrolebinding .* --group=GROUP$/m);
});
