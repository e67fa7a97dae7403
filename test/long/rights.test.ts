import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';

import type { PatchOperation } from '../../src/policy/review.ts';
import { Cluster } from '../cluster/cluster.ts';
import { loadProduct } from '../cluster/install.ts';
import { Bench } from '../e2e/shared.ts';
import type { Seen, Way } from './rights.ts';
import { nothingInTheKernel, RightsGround, unreported } from './rights.ts';

/** What docs/security.md says of each right of the agent: it is taken away, and looked at what becomes of it. */
jest.setTimeout(300_000);
let ground: RightsGround;

beforeAll(async () => {
  const cluster = await Cluster.up({ name: 'e2e-rights', owned: true });
  const bench = new Bench(cluster);
  ground = new RightsGround(bench);
  await loadProduct(cluster);
  await ground.prepare();
});
afterAll(() => Cluster.find('e2e-rights')?.down());

const pod = '/spec/template/spec';
const container = `${pod}/containers/0`;
const capabilities = ['SYS_ADMIN', 'SYS_PTRACE', 'DAC_READ_SEARCH', 'NET_ADMIN'];
const proc = { name: 'proc', mountPath: '/host/proc' };
const state = { name: 'state', mountPath: '/run/keepalive.dev' };

const withoutCapability = (name: string): PatchOperation => ({
  op: 'replace',
  path: `${container}/securityContext/capabilities/add`,
  value: capabilities.filter((one) => one !== name),
});
const mounting = (...mounts: readonly object[]): PatchOperation => ({
  op: 'replace',
  path: `${container}/volumeMounts`,
  value: mounts,
});
const withoutHostPid: PatchOperation = { op: 'remove', path: `${pod}/hostPID` };

const without: Readonly<Record<string, readonly PatchOperation[]>> = {
  nothing: [],
  SYS_ADMIN: [withoutCapability('SYS_ADMIN')],
  SYS_PTRACE: [withoutCapability('SYS_PTRACE')],
  DAC_READ_SEARCH: [withoutCapability('DAC_READ_SEARCH')],
  NET_ADMIN: [withoutCapability('NET_ADMIN')],
  'user 0': [
    { op: 'replace', path: `${pod}/securityContext/runAsUser`, value: 65532 },
    { op: 'replace', path: `${pod}/securityContext/runAsGroup`, value: 65532 },
  ],
  hostPID: [withoutHostPid],
  'the right to write the host’s /proc': [mounting({ ...proc, readOnly: true }, state)],
  'the host’s /run/keepalive.dev': [
    mounting(proc),
    {
      op: 'replace',
      path: `${pod}/volumes`,
      value: [{ name: 'proc', hostPath: { path: '/proc', type: 'Directory' } }],
    },
  ],
  'DAC_READ_SEARCH and hostPID': [withoutCapability('DAC_READ_SEARCH'), withoutHostPid],
};

/** What an agent sees that lacks nothing. */
const whole: Seen = {
  reach: 'BPF, counted by BPF',
  live: '5 pods, node Live 30',
  given: '8/8',
  watched: '0/4',
  node: '0 exposed',
  named: 'watched-other watched-server watched-users',
  unnamed: '',
  told: {},
  kernel: '8/8 networks, timers 4/4 and 0/2',
};
const byDescriptors = 'Descriptors, counted by Descriptors';
const byNobody = 'ValuesOnly, counted by Nobody';
const off = 'switched off by CONNECTIONS';

/** Pods with networks of their own, and the node. That of a pod of the node's network is told of the node alone. */
const networks = 'node other root server users watched-other watched-server watched-users';
const ofHost = { HostNetwork: 'host' };
const notCounted = { given: 'not counted', watched: 'not counted', node: 'not counted', named: '' };
const notEntered = { live: '0 pods, node NotLive undefined' };
const notWritten = { live: '0 pods, node NotLive 7200' };

/** Values in no network; connections have theirs, of which nobody can tell when they speak next. */
const withoutAdmin: Seen = {
  ...{ ...whole, ...notEntered, given: '0/8', kernel: '0/8 networks, timers 4/4 and 0/2' },
  told: {
    ...ofHost,
    'NotReachable EPERM': networks,
    'SocketsNotReachable EPERM': 'host node other root server users',
  },
};
const withoutPtrace: Seen = {
  ...{ ...whole, ...notEntered, ...notCounted, kernel: nothingInTheKernel },
  told: { ...ofHost, 'NotReachable EACCES': networks },
};
const withoutProc: Seen = {
  ...{ ...whole, ...notWritten, kernel: '0/8 networks, timers 4/4 and 0/2' },
  told: { ...ofHost, 'WriteRefused EROFS': networks },
};
/** The network of the node is left to descriptors where this machine has control groups of version 1. */
const withoutNumbers: Seen = {
  ...{ ...whole, given: '7/7', node: 'not counted', named: '', unnamed: whole.named },
  ...{ told: { SocketsNotReachable: 'host node' }, kernel: '8/8 networks, timers 3/4 and 0/2' },
};
const valuesOnly: Seen = {
  ...{ ...whole, ...notCounted, kernel: '8/8 networks, timers 0/4 and 0/2' },
  reach: `${byNobody}: ${off}, and no hostPID`,
};
const ends = (why: string): Seen => ({
  ...unreported,
  reach: `ends: /run/keepalive.dev/lock, which the agents of this node go by, cannot be used (${why}`,
});
const elsewhere = 'let STATE_FOLDER be a folder of the host that the agent may write to';
const withoutRoot = ends(
  `EACCES: permission denied, open '/run/keepalive.dev/lock'): let the agent run as user 0, as its manifest has it, or ${elsewhere}`,
);
const withoutState = ends(
  `ENOENT: no such file or directory, mkdir '/run/keepalive.dev'): mount a folder of the host there, as its manifest has it, or ${elsewhere}`,
);

const cases: readonly (readonly [Way, string, Seen])[] = [
  ['Auto', 'nothing', whole],
  ['Auto', 'SYS_ADMIN', { ...withoutAdmin, reach: `${byDescriptors}: EPERM at load` }],
  [
    ...(['Auto', 'SYS_PTRACE'] as const),
    { ...withoutPtrace, reach: `${byNobody}: EACCES at /sys/fs/bpf, and EACCES at ns/pid of process 1` },
  ],
  [
    ...(['Auto', 'DAC_READ_SEARCH'] as const),
    { ...whole, named: 'watched-server', unnamed: 'watched-other watched-users' },
  ],
  ['Auto', 'NET_ADMIN', whole],
  ['Auto', 'user 0', withoutRoot],
  ['Auto', 'hostPID', withoutNumbers],
  ['Auto', 'the right to write the host’s /proc', withoutProc],
  ['Auto', 'the host’s /run/keepalive.dev', withoutState],
  ['Auto', 'DAC_READ_SEARCH and hostPID', withoutNumbers],
  ['Descriptors', 'nothing', { ...whole, reach: `${byDescriptors}: ${off}` }],
  ['Descriptors', 'SYS_ADMIN', { ...withoutAdmin, reach: `${byDescriptors}: ${off}` }],
  [
    ...(['Descriptors', 'SYS_PTRACE'] as const),
    { ...withoutPtrace, reach: `${byNobody}: ${off}, and EACCES at ns/pid of process 1` },
  ],
  [
    ...(['Descriptors', 'DAC_READ_SEARCH'] as const),
    {
      ...{
        ...whole,
        reach: `${byDescriptors}: ${off}`,
        given: '6/6',
        watched: '0/2',
        named: 'watched-server',
      },
      told: { 'SocketsNotReachable EACCES': 'other users watched-other watched-users' },
      kernel: '8/8 networks, timers 2/4 and 0/2',
    },
  ],
  ['Descriptors', 'NET_ADMIN', { ...whole, reach: `${byDescriptors}: ${off}` }],
  ['Descriptors', 'user 0', withoutRoot],
  ['Descriptors', 'hostPID', valuesOnly],
  [
    ...(['Descriptors', 'the right to write the host’s /proc'] as const),
    { ...withoutProc, reach: `${byDescriptors}: ${off}` },
  ],
  ['Descriptors', 'the host’s /run/keepalive.dev', withoutState],
  ['Descriptors', 'DAC_READ_SEARCH and hostPID', valuesOnly],
];

test.each(cases)('with CONNECTIONS=%s, an agent without %s', async (way, what, expected) => {
  await ground.startAgent(way, without[what] ?? []);
  expect(await ground.untilSteady(expected)).toEqual(expected);
});
