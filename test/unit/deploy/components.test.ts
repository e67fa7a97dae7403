import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from '@jest/globals';

import type { Manifest } from '../../support/manifest.ts';
import { manifestsOf, titleOf } from '../../support/manifest.ts';
import { Page } from '../docs/page.ts';

const deploy = join(import.meta.dirname, '../../../deploy');
const commands = new Page('docs/install.md').blocks('sh').flatMap((block) => block.split('\n'));

/** What the commands of the page take away that name this component by its label, as kubectl calls kinds. */
function deleted(component: string): Set<string> {
  const kinds = commands.map((line) => /^kubectl delete (\S+) (?:.* )?-l \$(\w+)/.exec(line) ?? []);
  return new Set(
    kinds.flatMap(([, names = '', variable]) => (variable === component ? names.split(',') : [])),
  );
}
const pluralOf = ({ kind }: Manifest) => kind.toLowerCase().replace(/y$/, 'ie') + 's';

test.each([
  ['agent', ['agent.yaml', 'components/openshift/agent-scc.yaml']],
  ['webhook', ['webhook', 'access', 'service'].map((name) => `components/webhook/${name}.yaml`)],
])('the page takes away all of the component %s by its label, but no namespace', (component, files) => {
  const text = files.map((file) => readFileSync(join(deploy, file), 'utf8')).join('\n---\n');
  const isTaken = (object: Manifest) =>
    object.metadata.labels?.['app.kubernetes.io/name'] === 'keepalive-operator' &&
    object.metadata.labels['app.kubernetes.io/component'] === component &&
    deleted(component).has(pluralOf(object));
  const all = manifestsOf(text);
  expect(all.length).toBeGreaterThan(5);
  const left = all.filter((object) => !isTaken(object)).map(titleOf);
  expect(left).toEqual(component === 'agent' ? ['Namespace keepalive-agent'] : []);
});
