import { expect, test } from '@jest/globals';

import { Seldom } from '../../../src/controller/seldom.ts';
import { createLog } from '../../../src/ops/log.ts';
import { HandClock } from '../kube/hand-clock.ts';

function begun() {
  const lines: { msg: string; reason: string; unsaid: number }[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line) as (typeof lines)[0]) };
  const clock = new HandClock();
  const log = createLog({ level: 'info', base: {}, destination });
  return { lines, clock, seldom: new Seldom(clock, log) };
}

test('a warning is given once a minute, with how often it was not given', () => {
  const { lines, clock, seldom } = begun();
  for (let times = 0; times < 100; times += 1) seldom.warn({ reason: 'made up' }, 'it failed');
  seldom.warn({ reason: 'made up' }, 'something else failed');
  clock.advance(60_000);
  seldom.warn({ reason: 'made up' }, 'it failed');
  expect(lines.map(({ msg, unsaid }) => [msg, unsaid])).toEqual([
    ['it failed', 0],
    ['something else failed', 0],
    ['it failed', 99],
  ]);
});

test('of a text that is not ours no more is written than can be read', () => {
  const { lines, seldom } = begun();
  seldom.warn({ reason: 'x'.repeat(70_000) }, 'it failed');
  expect(lines[0]?.reason).toHaveLength(200);
});
