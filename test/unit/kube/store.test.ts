import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Store } from '../../../src/kube/store.ts';

interface Pod {
  readonly uid: string;
  readonly node?: string;
}

const byNode = { byNode: ({ node }: Pod) => (node === undefined ? [] : [node]) };

describe('a change is', () => {
  test.each<[string, Pod | undefined, Pod, boolean]>([
    ['an object that was not there', undefined, { uid: '1' }, true],
    ['not an object that arrives as it is held', { uid: '1', node: 'n' }, { uid: '1', node: 'n' }, false],
    ['another field', { uid: '1', node: 'n' }, { uid: '1', node: 'm' }, true],
    ['another object of the same name', { uid: '1', node: 'n' }, { uid: '2', node: 'n' }, true],
  ])('%s', (_name, held, next, change) => {
    const store = new Store<Pod>();
    if (held) store.set('db/a', held);
    expect(store.set('db/a', next)).toBe(change);
    expect(store.get('db/a')).toEqual(next);
  });
});

test('a replacement changes nothing before it is committed, and keeps objects that are equal', () => {
  const store = new Store<Pod>();
  const held = { uid: '1' };
  store.set('db/same', held);
  store.set('db/gone', { uid: '2' });
  const replacement = store.replacement();
  replacement.set('db/same', { uid: '1' });
  replacement.set('db/new', { uid: '3' });
  expect([...store.keys()]).toEqual(['db/same', 'db/gone']);
  expect(store.synced).toBe(false);
  const told = [...replacement.commit()].filter((change) => change !== undefined);
  expect(told).toEqual([
    ['db/new', undefined],
    ['db/gone', { uid: '2' }],
  ]);
  expect(store.synced).toBe(true);
  expect(store.get('db/same')).toBe(held);
});

test('a store that fills in place holds what comes at once, and nothing of a list that was broken off', () => {
  const store = new Store<Pod, 'byNode'>(byNode, { fillsInPlace: true });
  store.replacement().set('db/broken', { uid: '1', node: 'n1' });
  const whole = store.replacement();
  whole.set('db/a', { uid: '2', node: 'n1' });
  expect([[...store.keys()], store.synced]).toEqual([['db/a'], false]);
  expect([...whole.commit()]).toEqual([['db/a', undefined]]);
  expect([...store.keysBy('byNode', 'n1')]).toEqual(['db/a']);
  // Whoever reads it by now is not to see half of another.
  store.replacement().set('db/b', { uid: '3' });
  expect([[...store.keys()], store.synced]).toEqual([['db/a'], true]);
});

test('a replacement is taken over key by key, what comes before what goes: there is no moment without both', () => {
  const store = new Store<Pod, 'byNode'>(byNode);
  store.set('db/a', { uid: '1', node: 'n1' });
  store.set('db/b', { uid: '2', node: 'n1' });
  const replacement = store.replacement();
  replacement.set('db/a', { uid: '1', node: 'n2' });
  replacement.set('db/c', { uid: '3', node: 'n2' });
  Array.from(replacement.commit());
  const steps = [];
  const again = store.replacement();
  again.set('db/c', { uid: '3', node: 'n1' });
  again.set('db/d', { uid: '4', node: 'n1' });
  for (const change of again.commit())
    if (change !== undefined) steps.push([change[0], [...store.keys()], [...store.keysBy('byNode', 'n1')]]);
  expect(steps).toEqual([
    ['db/c', ['db/a', 'db/c'], ['db/c']],
    ['db/d', ['db/a', 'db/c', 'db/d'], ['db/c', 'db/d']],
    ['db/a', ['db/c', 'db/d'], ['db/c', 'db/d']],
  ]);
});

const key = fc.constantFrom('a/1', 'a/2', 'b/1', 'b/2');
const object = fc.record<Pod>(
  { uid: fc.constantFrom('x', 'y'), node: fc.constantFrom('n1', 'n2') },
  { requiredKeys: ['uid'] },
);
const step = fc.oneof(
  fc.record({ do: fc.constant('set' as const), key, object }),
  fc.record({ do: fc.constant('delete' as const), key }),
  fc.record({ do: fc.constant('replace' as const), all: fc.array(fc.tuple(key, object)) }),
);

test('the index holds exactly what a scan would find, whatever came before', () => {
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const store = new Store<Pod, 'byNode'>(byNode);
      for (const one of steps) {
        if (one.do === 'set') store.set(one.key, one.object);
        else if (one.do === 'delete') store.delete(one.key);
        else {
          const replacement = store.replacement();
          for (const [at, value] of one.all) replacement.set(at, value);
          Array.from(replacement.commit());
        }
      }
      for (const node of ['n1', 'n2']) {
        const scan = [...store.keys()].filter((at) => store.get(at)?.node === node);
        expect([...store.keysBy('byNode', node)].sort()).toEqual(scan.sort());
        expect(store.listBy('byNode', node)).toHaveLength(scan.length);
      }
    }),
  );
});
