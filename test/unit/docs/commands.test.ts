import { expect, test } from '@jest/globals';

import { controllerConfig } from '../../../src/ops/config.ts';
import { Page, pages } from './page.ts';

const lines = pages().flatMap((page) =>
  page.blocks('sh').flatMap((block) => block.split('\n').map((line) => [page.path, line] as const)),
);

// With it a new chart has no defaults of its own, and fails where a template needs one.
test('no page reuses the values of the release before without the defaults of the new chart', () => {
  expect(lines.filter(([, line]) => line.includes('helm upgrade')).length).toBeGreaterThan(2);
  expect(lines.filter(([, line]) => / --reuse-values\b/.test(line))).toEqual([]);
});

// The namespace of a context is seldom that of the release, and Helm then finds none.
test('no page asks Helm for a release without the namespace that it is in', () => {
  const asking = pages().flatMap(({ path, text }) =>
    [...text.matchAll(/\bhelm (?:upgrade|rollback|uninstall) [a-z][^`\n]*/g)].map(
      ([all]) => [path, all] as const,
    ),
  );
  expect(asking.map(([, all]) => all).join('\n')).toContain('helm rollback');
  expect(asking.filter(([, all]) => !/ (?:-n|--namespace) \S/.test(all))).toEqual([]);
});

// What somebody may do is told of one namespace: without its name, of that of the context.
test('no page asks what the controller may do but where its Roles are', () => {
  const asking = lines.filter(([, line]) => line.includes('auth can-i'));
  expect(asking.length).toBeGreaterThan(0);
  expect(asking.filter(([, line]) => !line.startsWith('kubectl -n keepalive-system auth can-i '))).toEqual(
    [],
  );
});

// Helm 4 goes on with a release of Helm 3 as that did, and then refuses to force anything.
test('no page has helm upgrade force conflicts but by server-side apply', () => {
  const forcing = lines.filter(([, line]) => /^helm upgrade .*--force-conflicts/.test(line));
  expect(forcing.length).toBeGreaterThan(0);
  expect(forcing.filter(([, line]) => !line.includes(' --server-side=true '))).toEqual([]);
});

test.each(['docs/runbook.md', 'docs/uninstall.md'])(
  '%s asks for kinds that older clusters do not serve in lines of their own, and says so',
  (path) => {
    const asking = lines.filter(([of, line]) => of === path && line.includes('mutatingadmissionpolic'));
    expect(asking.length).toBeGreaterThan(0);
    const alone = /^kubectl \w+ (?:mutatingadmission\w+,?)+ .*# from Kubernetes 1\.36 on$/;
    expect(asking.filter(([, line]) => !alone.test(line))).toEqual([]);
  },
);

test('the Lease that stays where nobody may give it an owner is named, with the command that takes it', () => {
  const leaseName = controllerConfig.shape.leaseName.parse(undefined);
  const [, remains = ''] = new Page('docs/uninstall.md').text.split('\nWhat remains:\n');
  expect(remains).toContain(`kubectl delete lease ${leaseName} `);
});
