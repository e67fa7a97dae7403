import { describe, expect, test } from '@jest/globals';
import { parseAllDocuments } from 'yaml';

import packageLock from '../../../package-lock.json' with { type: 'json' };
import packageJson from '../../../package.json' with { type: 'json' };
import { Page, pages } from './page.ts';

interface FluxKustomization {
  readonly spec?: { readonly images?: readonly { readonly newTag?: string }[] };
}

const { version } = packageJson;

test('the lock has the version too', () => {
  expect([packageLock.version, packageLock.packages[''].version]).toEqual([version, version]);
});

describe('what a page shows is of this version', () => {
  test('wherever a tag, a chart or an image is named', () => {
    const naming = /(?:\b(?:new)?tag: v?|\btag -a v|keepalive-operator(?:-npm)?[:-])(\d+\.\d+\.\d+)\b/gi;
    const named = pages().flatMap(({ path, text }) =>
      [...text.matchAll(naming)].map(([, found]) => `${path}: ${found}`),
    );
    expect(named.length).toBeGreaterThan(0);
    expect(named.filter((one) => !one.endsWith(`: ${version}`))).toEqual([]);
  });

  // Some versions of Flux take a name without a tag for one of no tag.
  test('and an image that Flux gives another name has its tag beside that', () => {
    const entries = new Page('docs/flux.md')
      .blocks('yaml')
      .flatMap((text) => parseAllDocuments(text))
      .flatMap((document) => (document.toJS() as FluxKustomization | null)?.spec?.images ?? []);
    expect(entries.map(({ newTag }) => newTag)).toEqual([version]);
  });
});
