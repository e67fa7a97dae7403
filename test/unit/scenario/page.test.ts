import { describe, expect, test } from '@jest/globals';

import { page } from '../../scenario/page.ts';
import type { Result } from '../../scenario/result.ts';
import { rowsOf, table } from '../../scenario/table.ts';
import { alive, lost, played } from './played.ts';

const render = (...scenarios: Result[]) => page({ kubernetes: '1.37.2', kernel: '6.18.44', scenarios });

describe('docs/proof.md', () => {
  test('says on what it was seen and counts what died', () => {
    const text = render(played());
    expect(text).toContain('Kubernetes 1.37.2 and Linux 6.18.44');
    expect(text).toContain('| [snat](#snat) | through the NAT | 24 of 24 | 0 of 24 |');
    expect(text).toContain(
      'The policy declares `office-nat` (NAT, 4 s). From that follow 1/1/3, limited by `office-nat`.',
    );
  });

  test('has a row for every kind, and quotes the last words', () => {
    const text = render(played());
    expect(text).toContain('| running | host | before | does not ask | 1 of 1 | 1 of 1 | 1 of 1 | 1 of 1 |');
    expect(text).toContain(`| without the policy | lost with "ECONNRESET (104)" | 24 × "${lost}" |`);
    expect(text).toContain(`| with the policy | alive | 24 × "${alive}" |`);
    expect(text).not.toContain('did not hold');
  });

  test('does not hide what did not hold', () => {
    const text = render(played({ with: ({ asks }) => (asks ? alive : lost) }));
    expect(text).toContain('| [snat](#snat) | through the NAT | 24 of 24 | 12 of 24 |');
    expect(text).toContain('**What did not hold:**');
    expect(text).toContain('| new | pod | after | does not ask | 1 of 1 | 1 of 1 | 0 of 1 | 0 of 1 |');
  });

  test('tells what the status had to say', () => {
    const check = { what: 'the status says that near binds', held: true, seen: 'limitedBy near' };
    expect(render({ ...played(), checks: [check] })).toContain(
      'Held: the status says that near binds. It says: limitedBy near.',
    );
  });
});

describe('a table', () => {
  test('leaves a family empty that was not tried', () => {
    const [way] = played().ways;
    const onlyV4 = (way?.connections ?? []).filter(({ cell }) => cell.family === 'IPv4');
    expect(rowsOf(onlyV4)[0]).toMatchObject({ diedWithout: ['1 of 1', ''], aliveWith: ['1 of 1', ''] });
  });

  test('is as wide for people in a terminal as its widest cells', () => {
    const [title, head, , first] = table(played()).split('\n');
    expect(title).toBe('snat: through the NAT');
    expect(head?.indexOf('alive with')).toBe(first?.split('1 of 1').slice(0, 3).join('1 of 1').length);
  });
});
