import { describe, expect, test } from '@jest/globals';

import { isOlder } from '../../cluster/go.ts';
import { latestOf, replacements, versionIn, wantedVersion } from '../../cluster/version.ts';

test.each([
  ['1.26.7', '1.26.8', true],
  ['1.26.8', '1.26.8', false],
  ['1.26.10', '1.26.8', false],
  ['1.9', '1.26.0', true],
  ['2.0', '1.26.8', false],
  ['1.26', '1.26.0', false],
])('version %s is older than %s: %s', (a, b, older) => {
  expect(isOlder(a, b)).toBe(older);
});

describe('the version of Kubernetes', () => {
  test('is the latest release of a line, never a candidate', () => {
    const tags = ['v1.36.0', 'v1.36.9', 'v1.36.10', 'v1.36.11-rc.0', 'v1.37.0', 'v1.3.6'];
    expect(latestOf('1.36', tags)).toBe('1.36.10');
    expect(latestOf('1.38', tags)).toBeUndefined();
  });

  test('is taken as it is when it is whole', async () => {
    expect(await wantedVersion('1.36.2')).toBe('1.36.2');
  });

  test('is refused with an example when it is none', async () => {
    await expect(wantedVersion('latest')).rejects.toThrow(
      /"latest" is no version of Kubernetes: write 1\.\d+\.\d+/,
    );
  });
});

test('the version of a package is that of the longest module path it starts with', () => {
  const goMod = `module keepalive.dev/test
require (
	github.com/containerd/containerd v1.7.0
	github.com/containerd/containerd/v2 v2.3.7 // indirect
)
require k8s.io/kubernetes v1.37.2
`;
  expect(versionIn(goMod, 'github.com/containerd/containerd/v2/cmd/ctr')).toBe('2.3.7');
  expect(versionIn(goMod, 'k8s.io/kubernetes')).toBe('1.37.2');
});

test('only the folders of the Kubernetes repository are replaced by published modules', () => {
  const goMod = `replace (
	k8s.io/api => ./staging/src/k8s.io/api
	k8s.io/cri-api => ./staging/src/k8s.io/cri-api
	github.com/other/module => github.com/fork/module v1.0.0
)
replace k8s.io/kubectl => ./staging/src/k8s.io/kubectl
`;
  expect(replacements(goMod, '1.35.4')).toEqual([
    'k8s.io/api=k8s.io/api@v0.35.4',
    'k8s.io/cri-api=k8s.io/cri-api@v0.35.4',
    'k8s.io/kubectl=k8s.io/kubectl@v0.35.4',
  ]);
});
