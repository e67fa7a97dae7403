import { describe, expect, test } from '@jest/globals';

import { matrix } from '../../scenario/cell.ts';
import { meets, shortcomings, tally } from '../../scenario/result.ts';
import { alive, lost, played } from './played.ts';

describe('the fate of a connection', () => {
  test.each([
    ['lives', 'alive', 'silent 12 s: alive', true],
    ['should have lived', 'alive', lost, false],
    ['is lost as expected', ['ECONNRESET (104)'], lost, true],
    ['is lost in one of several ways', ['no answer', 'ECONNRESET (104)'], lost, true],
    ['is lost, but of something else', ['no answer'], lost, false],
    ['should have been lost', ['ECONNRESET (104)'], alive, false],
    ['never stood', ['ECONNREFUSED (111)'], 'connect: ECONNREFUSED (111) Connection refused', false],
    ['fell before it was silent', ['ECONNRESET (104)'], 'chat: ECONNRESET (104)', false],
    ['only connected', 'alive', 'connected to 192.0.2.1 port 7000', false],
    ['said nothing', 'alive', 'nothing', false],
  ] as const)('%s', (_sentence, fate, words, met) => {
    expect(meets(fate, words)).toBe(met);
  });
});

describe('what a scenario falls short of', () => {
  test('nothing, where all died without the policy and lived with it', () => {
    expect(shortcomings(played())).toEqual([]);
  });

  test('a failure that does not appear without the policy proves nothing', () => {
    const [first] = shortcomings(played({ without: () => alive }));
    expect(first).toBe(
      'through the NAT, without the policy, new pod, pod network, opened after, asks for keepalive: ' +
        '2 of 2 should have been lost with "ECONNRESET (104)", and said "silent 12 s: alive"',
    );
  });

  test('a connection that dies with the policy is told with its kind and its last words', () => {
    const host = matrix.filter(({ network }) => network === 'host');
    const found = shortcomings(played({ with: ({ network }) => (network === 'host' ? lost : alive) }));
    expect(found).toHaveLength(host.length / 2);
    expect(found[0]).toContain(
      'with the policy, new pod, host network, opened after, asks for keepalive: 2 of 2',
    );
    expect(found[0]).toContain(lost);
  });

  test('no connection at all', () => {
    const result = played();
    const ways = result.ways.map((way) => ({ ...way, connections: [] }));
    expect(shortcomings({ ...result, ways })).toContain('through the NAT: no connection was tried');
  });

  test('a status that does not say what it should', () => {
    const check = { what: 'the status says that near binds', held: false, seen: 'limitedBy far' };
    expect(shortcomings({ ...played(), checks: [check] })).toEqual([
      'the status says that near binds: no, limitedBy far',
    ]);
  });
});

test('the most frequent last words come first', () => {
  expect(tally(['a', 'b', 'b'])).toEqual([
    ['b', 2],
    ['a', 1],
  ]);
});
