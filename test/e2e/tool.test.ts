import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import type { Explanation } from '../../src/cli/explanation.ts';
import type { Board } from '../../src/cli/status-board.ts';
import { sysctls } from '../support/builder.ts';
import type { PolicyName } from './shared.ts';
import { commandsOf, filesOf, needsCluster, patternOf } from '../unit/docs/console.ts';
import { Page } from '../unit/docs/page.ts';
import { Bench, condition, kap, sleeper } from './shared.ts';
import { tool, toolBeside } from './tool.ts';

const bench = new Bench();
const namespace = 'e2e-tool';
const pinned = 'e2e-tool-pinned';
const team: PolicyName = { kind: 'kap', name: 'behind-the-nat', namespace };
const { keepalive, doctor } = toolBeside(bench);
const explain = async (...argv: string[]) => {
  const { stdout, stderr } = await keepalive('explain', '-n', namespace, '-o', 'json', ...argv);
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as Explanation;
};
const status = async (...argv: string[]) =>
  JSON.parse((await keepalive('status', '-o', 'json', ...argv)).stdout) as Board;

const own = { securityContext: { sysctls: sysctls(20, 5, 3) } };
const pods = [
  sleeper('covered', namespace),
  sleeper('own-values', namespace, { spec: own }),
  sleeper('skipped', namespace, { labels: { 'keepalive.dev/skip': 'true' } }),
  sleeper('of-the-node', namespace, { spec: { hostNetwork: true } }),
];

beforeAll(async () => {
  await bench.namespace(namespace);
  await bench.apply(kap(namespace, 'behind-the-nat', 90));
  await bench.status(team);
  await bench.start(...pods);
  // Every agent has told how the pods of its node stand.
  await bench.status(
    team,
    ({ pods: counts }) => counts?.live === 2 && counts.selected === 4 && counts.skipped === 2,
  );
  await bench.until('their connections were looked at', async () => {
    const told = await Promise.all([explain('covered'), explain('own-values')]);
    return told.every(({ standing }) => standing !== 'Unknown');
  });
});
afterAll(async () => {
  await bench.cluster.kubectl('delete', 'namespace', namespace, pinned, '--wait=false', '--ignore-not-found');
});

const texts = ({ parts }: Explanation, part: keyof Explanation['parts']) =>
  (parts[part] ?? []).map(({ is, text }) => `${is}: ${text}`);

describe('keepalive status', () => {
  test('has every policy with its values and every node with its agent', async () => {
    const board = await status('-n', namespace);
    expect(board.unknown).toEqual([]);
    expect(board.policies.find(({ name }) => name === 'behind-the-nat')).toMatchObject({
      ...{ namespace, mode: 'Enforce', pods: { selected: 4, live: 2 } },
      effective: { idleTimeoutSeconds: 90, limitedBy: 'nat', timeSeconds: 30 },
    });
    expect(board.nodes.map(({ name, agent }) => `${name} ${agent}`)).toEqual(
      bench.cluster.nodes.map((node) => `${node} Reporting`),
    );
    expect(board.nodes.every(({ report }) => report?.connections !== undefined)).toBe(true);
  });

  test('says first what is wrong, in the words of the policy, and ends with 1', async () => {
    const { stdout, code } = await keepalive('status', '-n', namespace);
    expect(code).toBe(1);
    const { status: said } = await bench.policy(team);
    const message = condition(said, 'Covered')?.message ?? '';
    expect(stdout).toContain(`KeepalivePolicy ${namespace}/behind-the-nat: NotCovered: ${message}\n`);
    expect(stdout).toMatch(/^POLICY +BEHIND +VALUES/m);
    expect(stdout).not.toContain('\u001B');
  });

  test('shows a change as it comes, for as long as it watches', async () => {
    // A child of its own shell, which ends it as Ctrl-C does when standard input is at its end.
    const script = '"$@" & read -r end; kill -INT $!; wait $!; echo "ended with $?"';
    const argv = ['sh', '-c', script, 'sh', ...tool, 'status', '-n', namespace, '--watch', '-o', 'json'];
    const watch = bench.cluster.spawn(argv);
    let seen = '';
    watch.stdout?.setEncoding('utf8').on('data', (text: string) => (seen += text));
    const last = () => seen.slice(seen.lastIndexOf('\n{'));
    try {
      await bench.until('it shows the policy', () => seen.includes('"behind-the-nat"'));
      await bench.apply(kap(namespace, 'another', 60));
      await bench.until('it shows the other one', () => seen.includes('"another"'));
      await bench.cluster.kubectl('delete', 'kap', 'another', '-n', namespace);
      await bench.until(
        'it is not shown any more',
        () => /behind/.test(last()) && !last().includes('"another"'),
      );
    } finally {
      watch.stdin?.end();
    }
    await bench.until('it ends as it was told to', () => seen.endsWith('ended with 0\n'));
  });
});

describe('keepalive explain', () => {
  test('of a covered pod says which policy and which hop bind, and that its kernel holds enough', async () => {
    const told = await explain('pod/covered');
    expect(told).toMatchObject({
      standing: 'Covered',
      selectedBy: [{ name: 'behind-the-nat', binds: true }],
      asked: { timeSeconds: 30, intervalSeconds: 10, probes: 6, hop: 'nat' },
      todo: [],
    });
    expect(texts(told, 'creation')).toEqual([
      'fine: its spec starts it with 30/10/6, which is enough behind 90 s',
      'fine: admission put the values into it, where its spec said nothing (what it noted: behind 90 s asks for 30/10/6)',
    ]);
    expect(texts(told, 'kernel')).toEqual([
      expect.stringMatching(/^fine: its kernel holds enough for KeepalivePolicy/),
    ]);
    expect((await keepalive('explain', 'covered', '-n', namespace)).code).toBe(0);
  });

  test('of a pod with stricter values of its own says that they were left', async () => {
    const told = await explain('own-values');
    expect(told.standing).toBe('Covered');
    expect(texts(told, 'creation')).toEqual([
      'fine: its spec starts it with 20/5/3, which is enough behind 90 s',
      'fine: admission found its own values to be enough (what it noted: behind 90 s asks for 30/10/6)',
    ]);
  });

  test('of a pod that asked to be left alone says so, and that it is not covered', async () => {
    const told = await explain('skipped');
    expect(told.standing).toBe('NotCovered');
    expect(texts(told, 'creation')[0]).toMatch(/^note: admission leaves it as it is \(SkipLabel\)/);
    expect(texts(told, 'kernel')).toEqual([expect.stringMatching(/^wrong: .*: SkipLabel: left as it is/)]);
    expect(told.todo).toEqual([]);
  });

  test("of a pod of its node's network says what that holds, and what to do", async () => {
    const told = await explain('of-the-node');
    expect(told.standing).toBe('NotCovered');
    expect(texts(told, 'kernel')[0]).toMatch(/whose kernel holds 7200\/75\/9$/);
    expect(told.todo).toEqual([expect.stringContaining('select the node in a ClusterKeepalivePolicy')]);
    expect((await keepalive('explain', 'pod', 'of-the-node', '-n', namespace)).code).toBe(1);
  });

  test('of a pod where Pod Security refuses the values says how it got them all the same', async () => {
    await bench.namespace(pinned, {
      'pod-security.kubernetes.io/enforce': 'baseline',
      'pod-security.kubernetes.io/enforce-version': 'v1.25',
    });
    const policy: PolicyName = { kind: 'kap', name: 'pinned', namespace: pinned };
    await bench.apply(kap(pinned, 'pinned', 90));
    await bench.status(policy);
    await bench.start(sleeper('refused', pinned));
    await bench.status(policy, ({ pods: counts }) => counts?.live === 1);
    const told = await explain('refused', '-n', pinned);
    expect(texts(told, 'creation')[0]).toMatch(/^note: admission leaves it as it is \(PodSecurityPinned\)/);
    expect(texts(told, 'creation')[1]).toMatch(
      /^note: its spec starts it with 7200\/75\/9, which is not enough/,
    );
    expect(told.standing).toBe('Covered');
    // Seen by the doctor too, as a fault of the namespace.
    const { wrong } = await doctor();
    expect(wrong.filter(({ text }) => text.includes(pinned)).map(({ check }) => check)).toEqual([
      'Pod Security',
    ]);
    await bench.cluster.kubectl('delete', 'namespace', pinned);
  });

  test('of a node says what its own network holds and how connections are reached', async () => {
    const [node = ''] = bench.cluster.nodes;
    const told = await explain(`node/${node}`);
    expect(told).toMatchObject({ about: `node ${node}`, standing: 'Unselected' });
    expect(texts(told, 'kernel')[0]).toBe('note: its own network holds 7200/75/9');
    expect(texts(told, 'connections')).toHaveLength(1);
  });

  test.each([
    [['cover'], 'there is no pod cover in namespace e2e-tool (-n names another): did you mean covered?'],
    [['node/nowhere'], 'there is no node nowhere'],
    [['deployment/app'], 'it explains one pod or one node'],
  ])('of %j says what is meant', async (words, expected) => {
    const { code, stderr } = await keepalive('explain', '-n', namespace, ...words);
    expect([code, stderr]).toEqual([2, expect.stringContaining(expected)]);
  });
});

describe('docs/cli.md', () => {
  const page = new Page('docs/cli.md');
  const commands = commandsOf(page).filter(needsCluster);
  const home = 'db';
  beforeAll(async () => {
    await bench.namespace(home);
    await bench.cluster.apply(filesOf(page).get('policies.yaml') ?? '');
    const policy: PolicyName = { kind: 'kap', name: 'behind-the-nat', namespace: home };
    await bench.status(policy);
    const on = { nodeName: bench.cluster.nodes[0] };
    await bench.start(sleeper('mongo-0', home, { labels: { app: 'mongo' }, spec: on }));
    await bench.status(
      policy,
      ({ pods: counts, connections }) => counts?.live === 1 && connections !== undefined,
    );
  });
  afterAll(() => bench.cluster.kubectl('delete', 'namespace', home, '--wait=false'));

  test('speaks to clusters', () => {
    expect(commands.length).toBeGreaterThan(2);
  });

  test.each(commands.map((command) => [command.line, command] as const))(
    '$ %s prints what the page says',
    async (_line, { line, output }) => {
      const script = `keepalive() { ${tool.join(' ')} "$@"; }; (${line}) 2>&1`;
      const { stdout } = await bench.cluster.exec(['sh', '-c', script], { env: { NO_COLOR: '1' } });
      if (!patternOf(output).test(stdout)) expect(stdout).toBe(output);
    },
  );

  test('a deployment waits until all is covered, as docs/pipeline.md says', async () => {
    const wait = new Page('docs/pipeline.md').blocks('sh').find((text) => text.startsWith('kubectl wait'));
    const proxy = '    - { preset: envoy-tcp }\n';
    const shown = filesOf(page).get('policies.yaml') ?? '';
    expect(shown).toContain(proxy);
    await bench.cluster.apply(shown.replace(proxy, ''));
    expect(await bench.cluster.exec(['sh', '-c', wait ?? 'false'])).toEqual({
      ...{ code: 0, stderr: '' },
      stdout: 'keepalivepolicy.keepalive.dev/behind-the-nat condition met\n',
    });
  }, 300_000);
});
