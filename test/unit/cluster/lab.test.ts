import { describe, expect, test } from '@jest/globals';

import type { LabState } from '../../cluster/lab.ts';
import { isAbandoned } from '../../cluster/lab.ts';

const state: LabState = {
  maker: { pid: 1, started: '1' },
  owned: false,
  ready: true,
  kubernetes: '1.37.2',
  nodes: ['n1'],
  family: 'ipv4',
  programs: [],
};
const dead = { makerAlive: false, hosts: 2, ageSeconds: 100 };

describe('a cluster is', () => {
  test.each([
    ['kept while its owner lives', false, { ...dead, state: { ...state, owned: true }, makerAlive: true }],
    ['abandoned when its owner died', true, { ...dead, state: { ...state, owned: true } }],
    ['kept when it belongs to nobody and its maker has left', false, { ...dead, state }],
    ['abandoned when its maker died half way', true, { ...dead, state: { ...state, ready: false } }],
    [
      'kept while it is being made',
      false,
      { ...dead, state: { ...state, ready: false }, makerAlive: true, hosts: 0 },
    ],
    ['abandoned when the machine was restarted under it', true, { ...dead, state, hosts: 0 }],
    ['kept when its folder was made this moment', false, { ...dead, state: undefined, ageSeconds: 0.1 }],
    ['abandoned when its folder never said more', true, { ...dead, state: undefined }],
  ])('%s', (_, abandoned, traces) => {
    expect(isAbandoned(traces)).toBe(abandoned);
  });
});
