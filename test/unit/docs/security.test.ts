import { expect, test } from '@jest/globals';

import { catalogue } from '../../../scripts/monitoring/catalogue.ts';
import { Page } from './page.ts';

/** Labels whose values are words of ours, or of Kubernetes. */
const ofNobody = [
  ...['version', 'component', 'node_version', 'resource', 'verb', 'code'],
  ...['answer', 'outcome', 'does', 'type'],
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
