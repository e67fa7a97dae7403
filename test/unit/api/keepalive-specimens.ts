import type { Row } from './specimen.ts';
import { hop, namespaced, sameName, tooBig, tooSmall } from './specimen.ts';

const keepalive = (values: object, ...hops: object[]) =>
  namespaced({ keepalive: values, ...(hops.length > 0 && { path: hops }) });

/** Declared values, on both sides of what is enough. */
export const keepaliveSpecimens: Row[] = [
  ['no values of its own', keepalive({})],
  [
    'a second probe in the last second that is early enough',
    keepalive({ timeSeconds: 60, intervalSeconds: 19 }),
  ],
  [
    'one a second later',
    keepalive({ timeSeconds: 60, intervalSeconds: 20, probes: 8 }),
    [
      'spec',
      'keepalive leaves no room for two probes before nat forgets at 90 s, since the timer of the kernel may be an eighth late: (timeSeconds + intervalSeconds) x 9/8 must stay below that, with 2 probes or more. timeSeconds 30, intervalSeconds 10 and probes 6 would do',
    ],
  ],
  ['a time alone that leaves one second', keepalive({ timeSeconds: 78 })],
  [
    'a time alone that leaves none',
    keepalive({ timeSeconds: 79 }),
    ['spec', 'timeSeconds 30, intervalSeconds 10 and probes 6 would do'],
  ],
  ['an interval alone always fits', keepalive({ intervalSeconds: 75 })],
  ['two probes', keepalive({ probes: 2 })],
  ['one probe', keepalive({ probes: 1 }), ['spec', 'with 2 probes or more']],
  ['a second each behind two seconds', keepalive({ timeSeconds: 1 }, { ...hop, idleTimeoutSeconds: 2 })],
  [
    'a time of two seconds there',
    keepalive({ timeSeconds: 2 }, { ...hop, idleTimeoutSeconds: 2 }),
    ['spec', 'timeSeconds 1, intervalSeconds 1 and probes 2 would do'],
  ],
  [
    'of the hops that forget too early the one that forgets first is named, with what does behind all of them',
    keepalive({ timeSeconds: 400 }, { preset: 'aws-ec2' }, { preset: 'aws-nlb', name: 'edge' }, hop),
    ['spec', 'before nat forgets at 90 s'],
    ['spec', 'timeSeconds 30, intervalSeconds 10 and probes 6 would do'],
  ],
  [
    'and that is taken',
    keepalive(
      { timeSeconds: 30, intervalSeconds: 10, probes: 6 },
      ...[{ preset: 'aws-ec2' }, { preset: 'aws-nlb', name: 'edge' }, hop],
    ),
  ],
  [
    'of two that forget at once the first is named',
    keepalive({ timeSeconds: 400 }, { preset: 'aws-nlb' }, { preset: 'aws-nat-gateway' }),
    ['spec', 'before aws-nlb forgets at 350 s'],
  ],
  [
    'a preset without a name is named after itself',
    keepalive({ timeSeconds: 350 }, { preset: 'aws-nlb' }),
    [
      'spec',
      'before aws-nlb forgets at 350 s, since the timer of the kernel may be an eighth late: (timeSeconds + intervalSeconds) x 9/8 must stay below that, with 2 probes or more. timeSeconds 116, intervalSeconds 39 and probes 6 would do',
    ],
  ],
  [
    'what would do behind a long timeout',
    keepalive({ timeSeconds: 1000 }, { preset: 'kube-proxy-ipvs' }),
    ['spec', 'timeSeconds 300, intervalSeconds 75 and probes 8 would do'],
  ],
  [
    'a proxy that forgets earlier does not count',
    keepalive({ timeSeconds: 70 }, hop, { name: 'p', type: 'Proxy', idleTimeoutSeconds: 15 }),
  ],
  [
    'nor does one by preset',
    keepalive({ timeSeconds: 1000 }, { preset: 'nginx-stream' }, { preset: 'gcp-cloud-nat' }),
  ],
  [
    'the largest values that the kernel knows',
    keepalive({ timeSeconds: 7200, intervalSeconds: 75, probes: 9 }, { preset: 'linux-conntrack' }),
  ],
  [
    'a time above the kernel default',
    keepalive({ timeSeconds: 7201 }, { preset: 'linux-conntrack' }),
    ['spec.keepalive.timeSeconds', tooBig],
  ],
  ['an interval above it', keepalive({ intervalSeconds: 76 }), ['spec.keepalive.intervalSeconds', tooBig]],
  [
    'probes above it',
    keepalive({ probes: 10 }),
    ['spec.keepalive.probes', tooBig],
    ['spec.keepalive.probes', 'for more patience raise intervalSeconds'],
  ],
  [
    'zero probes',
    keepalive({ probes: 0 }),
    ['spec', 'with 2 probes or more'],
    ['spec.keepalive.probes', tooSmall],
  ],
  [
    'two things wrong at once are both said',
    keepalive({ timeSeconds: 90 }, hop, { ...hop, type: 'IPVS' }),
    ['spec', 'before nat forgets at 90 s'],
    ['spec.path', sameName],
  ],
];
