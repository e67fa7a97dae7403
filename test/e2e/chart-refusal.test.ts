import { beforeAll, describe, expect, test } from '@jest/globals';

import { buildHelms, buildMs, helmNames, rendered } from '../support/helm.ts';

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
