import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import type { PolicyStatus } from '../../src/api/status.ts';
import { newerSpecTests } from './newer-spec.ts';
import { Bench, ckap, condition, isReady, isStalled, kap, sleeper } from './shared.ts';

const bench = new Bench();
const namespace = 'e2e-covered';
const policy = { kind: 'kap', name: 'nat', namespace } as const;
const covered = (status: Parameters<typeof condition>[0]) => {
  const { status: is, reason } = condition(status, 'Covered') ?? {};
  return `${is} ${reason}`;
};
const kubectl = (...args: string[]) => bench.cluster.kubectl(...args);
const longestLine = (text: string) => Math.max(...text.split('\n').map((line) => line.length));

beforeAll(() => bench.namespace(namespace));
afterAll(async () => {
  await kubectl('delete', 'namespace', namespace, '--wait=false');
});

describe('the condition Covered', () => {
  test('is Unknown where nothing is there that the policy selects, and Ready says so', async () => {
    await bench.apply(kap(namespace, 'nat', 90));
    const status = await bench.status(policy);
    expect(covered(status)).toBe('Unknown NothingSelected');
    expect(condition(status, 'Ready')?.message).toMatch(/^Nothing that it selects is there at present[.] /);
  });

  test('is what kubectl wait waits for, until every pod and connection was read', async () => {
    await bench.start(sleeper('one', namespace), sleeper('two', namespace));
    await kubectl('wait', 'kap/nat', '-n', namespace, '--for=condition=Covered', '--timeout=120s');
    const status = await bench.status(policy);
    expect(covered(status)).toBe('True AllCovered');
    expect(status.pods).toMatchObject({ selected: 2, live: 2, summary: '2/2' });
    expect(condition(status, 'Covered')?.observedGeneration).toBe(status.observedGeneration);
  });

  test('speaks of an edit once every node holds it, and PODS does not drop meanwhile', async () => {
    const seen = new Set<string>();
    let edited = false;
    const watching = (async () => {
      for (;;) {
        const { status, metadata } = await bench.policy(policy);
        seen.add(status?.pods?.summary ?? 'none');
        if (edited && status?.observedGeneration === metadata.generation && isReady(status)) return;
      }
    })();
    await bench.apply(kap(namespace, 'nat', 60));
    edited = true;
    await watching;
    expect([...seen]).toEqual(['2/2']);
    await kubectl('wait', 'kap/nat', '-n', namespace, '--for=condition=Covered', '--timeout=120s');
  });

  test('is not True while a pod cannot start, which is no live one', async () => {
    const nowhere = { nodeSelector: { 'kubernetes.io/hostname': 'nowhere' } };
    await bench.apply(sleeper('waiting', namespace, { spec: nowhere }));
    const status = await bench.status(policy, (s) => s.pods?.pending === 1);
    expect(status.pods).toMatchObject({ selected: 3, declared: 3, live: 2, summary: '2/3' });
    expect(covered(status)).toBe('Unknown PodsPending');
    expect(status.findings).toBeUndefined();
  });

  test('is False, with the counts and the reason, while a pod is left as it is', async () => {
    await kubectl('delete', 'pod', 'waiting', '-n', namespace, '--grace-period=0', '--force');
    await bench.start(sleeper('left', namespace, { labels: { 'keepalive.dev/skip': 'true' } }));
    const status = await bench.status(
      policy,
      (s) => s.pods?.selected === 3 && covered(s).startsWith('False'),
    );
    expect(condition(status, 'Covered')?.message).toBe(
      'Not covered: 1 of 3 pods. The worst is SkipLabel of pod left: status.findings says what to do',
    );
    expect(condition(status, 'Ready')?.status).toBe('True');
  });

  test('stands in plain kubectl get, and so does the mode', async () => {
    const [head = '', row = ''] = (await kubectl('get', 'kap', 'nat', '-n', namespace)).split('\n');
    expect(head.trim().split(/ {2,}/)).toEqual(
      'NAME TIMEOUT TIME INTERVAL PROBES MODE PODS READY COVERED AGE'.split(' '),
    );
    expect(row).toMatch(/Enforce +2\/3 +True +False/);
  });
});

describe('a pod that is left as it is, seen by a user:', () => {
  const platform = { kind: 'ckap', name: namespace } as const;
  let node: string;
  beforeAll(async () => {
    node = await kubectl('get', 'pod', 'left', '-n', namespace, '-o', 'jsonpath={.spec.nodeName}');
    const here = { matchLabels: { 'kubernetes.io/metadata.name': namespace } };
    await bench.apply(ckap(namespace, 90, { namespaceSelector: here, nodes: { selector: {} } }));
    const isTold = (s: PolicyStatus) =>
      s.hosts?.live === 3 && s.pods?.live === 2 && covered(s) === 'False NotCovered';
    await bench.status(platform, isTold);
    await bench.report(node, ({ policies = [] }) => policies.some(({ name }) => name === namespace));
  });
  afterAll(() => kubectl('delete', 'ckap', namespace));

  /** The cells of the line of one object, and what stands above them. */
  async function wide(...args: string[]): Promise<{ heads: string[]; cells: string[] }> {
    const [heads, cells] = (await kubectl('get', ...args, '-o', 'wide'))
      .split('\n')
      .map((line) => line.trim().split(/ {2,}/));
    return { heads: heads ?? [], cells: cells ?? [] };
  }

  test.each([
    { of: policy, args: ['kap', 'nat', '-n', namespace], before: 10 },
    { of: platform, args: ['ckap', namespace], before: 11 },
  ])(
    'wide, kubectl get $of.kind names the hop, counts nodes and connections, and ends with what Ready says',
    async ({ of, args, before }) => {
      const { heads, cells } = await wide(...args);
      expect(heads.slice(before)).toEqual(['LIMITED-BY', 'EXPOSED', 'NODES', 'MESSAGE']);
      const status = await bench.status(of);
      const message = condition(status, 'Ready')?.message ?? 'none';
      expect(cells.slice(before)).toEqual(['nat', '0', `${status.nodes?.reporting}`, message]);
    },
  );

  test('wide, kubectl get nka has all that the node holds, and how its connections are reached', async () => {
    const { heads, cells } = await wide('nka', node);
    const { pods, connections, agentVersion } = await bench.report(node, () => true);
    expect(heads).toEqual('NAME HOST-TIME PODS AGENT AGE HOST-INTERVAL HOST-PROBES CONNECTIONS'.split(' '));
    expect(cells.toSpliced(4, 1)).toEqual([
      ...[node, '30', pods?.summary, agentVersion],
      ...['10', '6', connections?.by],
    ]);
  });

  test.each([
    { args: ['kap', 'nat', '-n', namespace], pod: 'left' },
    { args: ['ckap', namespace], pod: `${namespace}/left` },
  ])(
    'kubectl describe $args.0 says in its conditions and findings what is wrong and what to do, in lines that can be read',
    async ({ args, pod }) => {
      const text = await kubectl('describe', ...args);
      const [status] = text.split('\nStatus:\n').slice(1);
      expect(status).toMatch(
        new RegExp(`Message: +Not covered: 1 of 3 pods[.] The worst is SkipLabel of pod ${pod}`),
      );
      expect(status).toMatch(/Findings:\n(?: .*\n)*? +Reason: +SkipLabel\n/);
      expect(status).toMatch(/Effective:\n(?: .*\n)*? +Limited By: +nat\n/);
      expect(longestLine(text)).toBeLessThan(400);
    },
  );

  test('kubectl describe nka says what the node held and holds, and of each policy what is left, in lines that can be read', async () => {
    const text = await kubectl('describe', 'nka', node);
    expect(text).toMatch(
      /Host:\n +Found:\n(?: .*\n)*? +Time Seconds: +7200\n +Now:\n(?: .*\n)*? +Time Seconds: +30\n/,
    );
    for (const name of ['nat', namespace])
      expect(text).toMatch(
        new RegExp(`Findings:\n(?: .*\n)*? +Reason: +SkipLabel\n(?: .*\n)*? +Name: +${name}\n`),
      );
    expect(text).toMatch(/Trackers:\n +Idle Timeout Seconds: +\d+\n +Source: /);
    expect(longestLine(text)).toBeLessThan(400);
  });
});

describe('the status of a policy belongs to the controller alone:', () => {
  test('a condition of somebody else does not stay', async () => {
    const stalled = {
      ...{ type: 'Stalled', status: 'True', reason: 'Foreign', message: 'x', observedGeneration: 1 },
      lastTransitionTime: '2026-01-01T00:00:00Z',
    };
    const patch = JSON.stringify([{ op: 'add', path: '/status/conditions/-', value: stalled }]);
    await kubectl(
      ...['patch', 'kap', 'nat', '-n', namespace, '--subresource=status', '--type=json', '-p', patch],
      '--field-manager=somebody',
    );
    await bench.status(policy, (s) => isReady(s) && !isStalled(s));
  });

  test('one that was meant for a policy that is gone does not reach the one that has its name now', async () => {
    const patch = [
      { op: 'test', path: '/metadata/uid', value: 'a6a0c6a4-0000-4000-8000-000000000000' },
      { op: 'add', path: '/status', value: { observedGeneration: 77 } },
    ];
    const { code, stderr } = await bench.cluster.exec([
      ...['kubectl', 'patch', 'kap', 'nat', '-n', namespace, '--subresource=status', '--type=json', '-p'],
      JSON.stringify(patch),
    ]);
    expect(code).not.toBe(0);
    expect(stderr).toContain('the server rejected our request');
    expect((await bench.policy(policy)).status?.observedGeneration).not.toBe(77);
  });
});

describe('an admission object of the manifests that somebody edits', () => {
  const name = 'keepalivepolicy.keepalive.dev';
  afterAll(() => edit(null));
  const edit = (matchResources: object | null) =>
    kubectl(
      ...['patch', 'mutatingadmissionpolicybinding', name, '--type=merge', '-p'],
      JSON.stringify({ spec: { matchResources } }),
    );

  test('is told with the field, and the policy is Ready again once it is as it was', async () => {
    await edit({ namespaceSelector: { matchLabels: { nobody: 'has-this' } } });
    const status = await bench.status(policy, isStalled);
    expect(condition(status, 'Stalled')).toMatchObject({ reason: 'AdmissionDiffers' });
    expect(condition(status, 'Stalled')?.message).toContain(
      `MutatingAdmissionPolicyBinding ${name} differs in spec.matchResources.namespaceSelector.matchLabels`,
    );
    expect(status.pods).toMatchObject({ selected: 3, live: 2 });
    await edit(null);
    await bench.status(policy);
  });
});

newerSpecTests(() => bench, namespace);
