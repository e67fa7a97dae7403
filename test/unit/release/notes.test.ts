import { describe, expect, test } from '@jest/globals';

import { holdPublishable } from '../../../scripts/release/history.ts';
import { notes } from '../../../scripts/release/notes.ts';

const hash = (digit: string) => digit.repeat(40);
const published = {
  ...{
    version: '0.2.0',
    since: 'v0.1.0',
    image: 'r/keepalive-operator@sha256:1',
    chart: 'r/charts/c@sha256:2',
  },
  isSigned: false,
  commits: [
    { hash: hash('a'), subject: 'A pod that was missed is told of' },
    { hash: hash('b'), subject: 'Values go back' },
  ],
};

describe('the notes of a release', () => {
  test('are the sentences of its commits, and what it is by digest', () => {
    expect(notes(published)).toBe(`# 0.2.0

Since v0.1.0:

- A pod that was missed is told of (aaaaaaa)
- Values go back (bbbbbbb)

## By digest

- image: \`r/keepalive-operator@sha256:1\`
- chart: \`r/charts/c@sha256:2\`

\`SHA256SUMS\` has the digests of the files beside these notes.

## By whom

Nobody has signed it.
`);
  });

  test('say how it is verified, of all that a release has, where it is signed', () => {
    const [, commands = ''] = notes({ ...published, isSigned: true }).split('```sh\n');
    expect(commands.split('\n').slice(0, 3)).toEqual([
      expect.stringMatching(
        /^cosign verify --key keepalive-operator\.pub .* r\/keepalive-operator@sha256:1$/,
      ),
      expect.stringMatching(/^cosign verify --key keepalive-operator\.pub .* r\/charts\/c@sha256:2$/),
      expect.stringMatching(/^cosign verify-blob .*--bundle SHA256SUMS\.sigstore\.json SHA256SUMS$/),
    ]);
  });

  test('say where there is none before, and where nothing changed', () => {
    expect(notes({ ...published, since: undefined })).toContain('The first release.');
    expect(notes({ ...published, commits: [] })).toContain('No commit.');
  });
});

describe('what is published', () => {
  test('is a commit with the tag of its version', () => {
    expect(() => holdPublishable({ isDirty: false, tags: ['other', 'v0.2.0'] }, '0.2.0')).not.toThrow();
  });

  test.each([
    [{ isDirty: true, tags: ['v0.2.0'] }, 'changes that are in no commit'],
    [{ isDirty: false, tags: [] }, 'git tag -a v0.2.0'],
    [{ isDirty: false, tags: ['v0.2.0-rc.1', '0.2.0'] }, 'git tag -a v0.2.0'],
  ])('is not %j', (at, words) => {
    expect(() => holdPublishable(at, '0.2.0')).toThrow(words);
  });
});
