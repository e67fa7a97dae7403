import { expect, test } from '@jest/globals';

import { pages } from './page.ts';

/** Where a manifest or a command names deploy/ as it is: `path: ./deploy`, `- keepalive-operator/deploy`, `-k deploy/`. */
const bare = /(?:path: |- |-k )(?:[\w./-]*\/)?deploy\/?(?=[`\s]|$)/m;
const sections = pages()
  .filter(({ path }) => /^docs\/[^/]+$/.test(path))
  .flatMap(({ path, text }) =>
    text
      .split(/^(?=#{2,3} )/m)
      .filter((section) => bare.test(section))
      .map((section) => [path, section.split('\n')[0] ?? '', section] as const),
  );

test('deploy/ as it is stands in what users paste', () => {
  expect(new Set(sections.map(([path]) => path))).toEqual(
    new Set(['docs/argocd.md', 'docs/flux.md', 'docs/install.md']),
  );
});

// Before Kubernetes 1.36 an API server refuses it.
test.each(sections)(
  '%s, "%s" names the component for clusters that know no MutatingAdmissionPolicy',
  (_path, _heading, section) => {
    expect(section).toContain('deploy/components/webhook');
  },
);
