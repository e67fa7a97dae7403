const armed = { keepalive: true, timeSeconds: 30, intervalSeconds: 10, probes: 6 };

/** What whole-program.ts sees on a kernel that takes all of it. */
export const wholeExpected: readonly (readonly [saw: string, as: unknown])[] = [
  ['means', { by: 'BPF', countedBy: 'BPF' }],
  ['a sweep where it is only counted', { as: 'swept', repaired: 0 }],
  // Both ends are in the one network.
  ['counted', { protected: 0, exposed: 2, why: ['KeepaliveOff'], loosened: 0 }],
  ['a sweep of what was open', { as: 'swept', repaired: 2 }],
  ['the one that was open', armed],
  ['both ends of a new one', [armed, armed]],
  ['one of the loopback', false],
  ['counted then', { protected: 4, exposed: 0, why: [], loosened: 0 }],
  ['counted when one was loosened', { protected: 3, exposed: 1, why: ['KeepaliveOff'], loosened: 1 }],
  ['a sweep of that', { as: 'swept', repaired: 1 }],
  ['counted after that', { protected: 4, exposed: 0, why: [], loosened: 0 }],
  ['a new one where the next agent cannot tell what is asked', true],
  ['a new one once it can', false],
  ['counted when nobody asks', 0],
  ['served while its group is not known, but for what is spared', []],
  ['a connection then', 'none'],
  ['served once it is', ['host', 'pod/of-the-host']],
  ['a connection of the pod', 30],
  ['of the pod where it is spared', [2, 'none']],
  ['of the pod where only it is asked for', [['pod/of-the-host'], 30]],
  ['of the host where only the pod is asked for', 'none'],
  ['of the host where it is asked for too', [2, 80]],
  [
    'counted apart',
    [
      ['host', 8],
      ['pod/of-the-host', 3],
    ],
  ],
  ['of the host, counted while the pod closes newer ones', 1600],
  ['one without room for a mark', true],
  ['left out then', [{ NoRoom: 1 }, {}]],
  ['pinned in the end', false],
  ['a new one in the end', false],
];
