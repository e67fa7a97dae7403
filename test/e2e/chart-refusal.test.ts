import { rmSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';

import { kinds } from '../../src/api/crd.ts';
import { GROUP } from '../../src/api/group.ts';
import { FakeApiServer, json, status } from '../support/api-server.ts';
import { buildHelms, buildMs, chart, helm, helmNames, rendered } from '../support/helm.ts';

beforeAll(buildHelms, buildMs);

const wrong = (name: string, what: unknown) => ['--set-json', `${name}=${JSON.stringify(what)}`];

describe.each(helmNames)('%s refuses, and names the value', (name) => {
  test.each<[what: string, args: string[], told: string[]]>([
    ['a name that there is not', wrong('agents', {}), ['agents']],
    ['a name that there is not, below', wrong('agent.hostPID', true), ['agent', 'hostPID']],
    ['a text instead of a switch', wrong('agent.enabled', 'yes'), ['agent', 'enabled', 'boolean']],
    ['a digest that is none', wrong('image.digest', 'latest'), ['image', 'digest', 'sha256']],
    [
      'a limit that nobody could read',
      wrong('settings.smallestIntervalSeconds', 76),
      ['smallestIntervalSeconds', '75'],
    ],
    ['a switch position that there is not', wrong('settings.acting', 'Off'), ['acting', 'AuditAndRestore']],
    ['no replica at all', wrong('controller.replicas', 0), ['controller', 'replicas']],
    ['a namespace that cannot be', wrong('agent.namespace', 'Nodes'), ['agent', 'namespace']],
    ['no controller', wrong('controller', null), ['controller']],
    ['no quota of agents', wrong('agent.resourceQuota', null), ['agent', 'resourceQuota']],
    ['a quota in percent', wrong('agent.resourceQuota.pods', '10%'), ['resourceQuota', 'pods']],
    ['a quota that is no number', wrong('agent.resourceQuota.pods', 'abc'), ['resourceQuota', 'pods']],
    ['a switch that is neither on nor off', wrong('agent.enabled', null), ['agent', 'enabled']],
    [
      'no port of the API server, where egress would go everywhere',
      wrong('networkPolicy.apiServerPorts', null),
      ['networkPolicy', 'apiServerPorts'],
    ],
    [
      'a port that its user may not have',
      wrong('controller.webhookPort', 443),
      ['controller', 'webhookPort', 'got 443'],
    ],
    ['no number of replicas', wrong('controller.replicas', null), ['controller', 'replicas']],
    [
      'more than all of them in a drain',
      wrong('controller.podDisruptionBudget.maxUnavailable', '101%'),
      ['podDisruptionBudget', 'maxUnavailable'],
    ],
    ['a variable without a name', wrong('agent.extraEnv', [{ value: 'debug' }]), ['extraEnv', 'name']],
    [
      'a variable whose value is no text',
      wrong('agent.extraEnv', [{ name: 'RESYNC_SECONDS', value: 60 }]),
      ['extraEnv', 'value', 'string'],
    ],
    ['a label that cannot be', wrong('commonLabels', { team: 'a b' }), ['commonLabels', 'team']],
    ['a label of pods that cannot be', wrong('agent.podLabels', { team: '-a' }), ['podLabels', 'team']],
  ])('%s', async (_what, args, told) => {
    const said = await rendered(name, args).then(
      () => 'nothing',
      (error: unknown) => String(error),
    );
    for (const word of told) expect(said).toContain(word);
    expect(said).toContain("values don't meet the specifications of the schema");
  });

  test('one port for two servers, with what to do', async () => {
    const args = ['--set', 'admission=webhook', '--set', 'controller.webhookPort=8080'];
    await expect(rendered(name, args)).rejects.toThrow('give each a port of its own');
  });
});

describe('an upgrade to a release without the kinds', () => {
  const names = Object.values(kinds).map(({ plural }) => `${plural}.${GROUP}`);
  const folder = mkdtempSync(join(tmpdir(), 'keepalive-kinds-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  /** What the API server has of each kind; undefined where there is none. */
  let annotations: Readonly<Record<string, string>> | undefined;
  let server: FakeApiServer;
  const groupVersion = 'apiextensions.k8s.io/v1';
  const definitions = `/apis/${groupVersion}/customresourcedefinitions/`;
  const type = { apiVersion: groupVersion, kind: 'CustomResourceDefinition' };
  const version = { groupVersion, version: 'v1' };
  /** What Helm asks before it renders anything, and no more of it than it takes. */
  const discovery: Readonly<Record<string, object>> = {
    '/version': { major: '1', minor: '37', gitVersion: 'v1.37.0' },
    '/api': { kind: 'APIVersions', versions: [] },
    '/apis': {
      kind: 'APIGroupList',
      groups: [{ name: 'apiextensions.k8s.io', versions: [version], preferredVersion: version }],
    },
    [`/apis/${groupVersion}`]: {
      ...{ kind: 'APIResourceList', groupVersion },
      resources: [{ ...type, name: 'customresourcedefinitions', namespaced: false, verbs: ['get'] }],
    },
  };
  const read = () => server.asked.map(({ path }) => path).filter((path) => path.startsWith(definitions));
  beforeEach(async () => {
    server = await FakeApiServer.start();
    server.otherwise = (response, asked) => {
      const name = asked.path.replace(definitions, '');
      const found = discovery[asked.path] ?? (annotations && { ...type, metadata: { name, annotations } });
      return (found === undefined ? status(404, 'NotFound') : json(found))(response, asked);
    };
  });
  afterEach(() => server.close());

  const made = { 'meta.helm.sh/release-name': 'keepalive', 'meta.helm.sh/release-namespace': 'nets' };
  const keep = { 'helm.sh/resource-policy': 'keep' };

  async function upgrade(name: (typeof helmNames)[number], ...args: readonly string[]): Promise<string> {
    const kubeconfig = join(folder, 'kubeconfig');
    const config = {
      ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'it', users: [{ name: 'it', user: {} }] },
      clusters: [{ name: 'it', cluster: { server: server.url } }],
      contexts: [{ name: 'it', context: { cluster: 'it', user: 'it' } }],
    };
    writeFileSync(kubeconfig, JSON.stringify(config));
    const release = ['keepalive', chart, '--namespace', 'nets', '--kube-version', '1.37.0', '--is-upgrade'];
    const asked = ['--dry-run=server', '--kubeconfig', kubeconfig, '--set', 'crds.enabled=false', ...args];
    // What else a server would be asked once it is rendered, is not there.
    return helm(name, ['template', ...release, ...asked]).catch(String);
  }

  test.each(helmNames)(
    'is refused by %s where it would delete them, whatever it says of keeping',
    async (name) => {
      annotations = made;
      for (const keeps of ['crds.keep=true', 'crds.keep=false']) {
        const said = await upgrade(name, '--set', keeps);
        expect(said).toMatch(/would delete CustomResourceDefinition \w+\.keepalive\.dev/);
        expect(said).toContain('upgrade with crds.enabled=true and crds.keep=true first');
      }
    },
  );

  describe.each(helmNames)('is let pass by %s', (name) => {
    test.each<[where: string, there: Readonly<Record<string, string>> | undefined]>([
      ['they were told to stay', { ...made, ...keep }],
      ['somebody else has made them', {}],
      ['another release has', { ...made, 'meta.helm.sh/release-namespace': 'elsewhere' }],
      ['they are not there', undefined],
    ])('where %s', async (_where, there) => {
      annotations = there;
      expect(await upgrade(name, '--set', 'crds.keep=false')).not.toContain('would delete');
      expect(read().sort()).toEqual(names.map((one) => definitions + one).sort());
    });

    test('where they stay a part of it, and nobody is asked', async () => {
      annotations = made;
      expect(await upgrade(name, '--set', 'crds.enabled=true')).not.toContain('would delete');
      expect(read()).toEqual([]);
    });
  });
});
