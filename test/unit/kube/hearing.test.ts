import { beforeEach, describe, expect, test } from '@jest/globals';

import { Hearing } from '../../../src/kube/hearing.ts';
import { HandClock } from './hand-clock.ts';

let clock: HandClock;
let hearing: Hearing;

beforeEach(() => {
  clock = new HandClock();
  hearing = new Hearing(clock);
});

const pass = (minutes: number) => clock.advance(minutes * 60_000);

function bookmark(): void {
  hearing.heard();
  hearing.bookmarked();
}

/** A watch that the server ends at its time, after so many minutes of silence. */
function quiet(minutes: number): boolean {
  hearing.opened({ goesOn: true });
  pass(minutes);
  hearing.ended();
  return hearing.takeDoubt();
}

describe('where bookmarks came once', () => {
  beforeEach(bookmark);

  test('a watch that is silent for minutes makes doubt, once', () => {
    expect(quiet(5)).toBe(true);
    expect(hearing.takeDoubt()).toBe(false);
  });

  test('several that end sooner do so together', () => {
    expect([quiet(2), quiet(0.5), quiet(1)]).toEqual([false, false, true]);
  });

  test('one that brings something in time makes none', () => {
    hearing.opened({ goesOn: true });
    for (let n = 0; n < 5; n += 1) {
      pass(2);
      hearing.heard();
    }
    hearing.ended();
    expect(hearing.takeDoubt()).toBe(false);
  });

  test('one that was silent for long before something came does', () => {
    hearing.opened({ goesOn: true });
    pass(4);
    bookmark();
    hearing.ended();
    expect(hearing.takeDoubt()).toBe(true);
  });

  test('one that broke makes none, nor does the time in which none was open', () => {
    hearing.opened({ goesOn: true });
    pass(9);
    hearing.closed();
    pass(60);
    expect([hearing.takeDoubt(), quiet(1)]).toEqual([false, false]);
  });

  test('a server that is often silent is doubted the later', () => {
    const doubts = Array.from({ length: 40 }, () => quiet(5));
    expect(doubts.flatMap((isDoubted, at) => (isDoubted ? [at + 1] : []))).toEqual([1, 3, 6, 11, 21, 31]);
  });
});

test('where none came, no silence makes doubt', () => {
  hearing.heard();
  expect([quiet(10), quiet(10)]).toEqual([false, false]);
});

test('a watch that goes on is contact once it is taken, and a list once something of it comes', () => {
  pass(1);
  hearing.opened({ goesOn: false });
  expect(hearing.secondsSinceContact).toBeCloseTo(60);
  hearing.heard();
  expect(hearing.secondsSinceContact).toBeCloseTo(0);
  pass(1);
  hearing.opened({ goesOn: true });
  expect(hearing.secondsSinceContact).toBeCloseTo(0);
});
