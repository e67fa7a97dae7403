import { expect, test } from '@jest/globals';

import { usual } from '../../platforms/kinds.ts';
import { Page } from './page.ts';

const readme = new Page('README.md');
const line = (text: string) => text.replaceAll(/\s+/g, ' ');

/** `test/long/published.test.ts` runs it against a registry. */
test('the first that README says of installing is one command, which docs/install.md has too', () => {
  const [first = ''] = readme.blocks('sh', 'Install');
  expect(first).toMatch(/^helm install keepalive oci:\/\/REGISTRY\/\S+@sha256:… .+\n$/);
  const commands = new Page('docs/install.md').blocks('sh').flatMap((block) => block.split('\n'));
  expect(commands).toContain(first.trimEnd());
});

test('README says as other pages do how long it takes to make what is missing', () => {
  const [, kubernetes] =
    /first build takes about (\d+) minutes/.exec(
      new Page('docs/adr/0005-a-real-cluster-in-namespaces.md').text,
    ) ?? [];
  const [, debian, crio] =
    /a Debian \((\d+) minutes each\), CRI-O and gVisor \((\d+) minutes each\)/.exec(
      new Page('CONTRIBUTING.md').text,
    ) ?? [];
  const [, told = ''] = /\nThey fetch what is missing(.+?)\n\n/s.exec(readme.text) ?? [];
  expect(line(told)).toContain(`about ${kubernetes} minutes on two cores`);
  expect(usual.map(({ spec }) => spec.runtime)).toEqual(['containerd', 'crio']);
  expect(line(told)).toContain(`two Debians, ${debian} minutes each, and CRI-O, ${crio} minutes`);
  for (const program of ['Helm 3', 'Helm 4', 'kustomize']) expect(line(told)).toContain(program);
});
