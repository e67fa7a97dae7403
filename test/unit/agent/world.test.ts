import { beforeEach, describe, expect, test } from '@jest/globals';

import { World } from '../../../src/agent/world.ts';
import { placeOfPod } from '../../../src/policy/place.ts';
import { policyRecord } from '../../../src/policy/record.ts';
import { selectOnNode } from '../../../src/policy/selection.ts';
import { heldPlaces, heldTargets, socketTargets } from '../../../src/policy/socket-target.ts';
import { createLog } from '../../../src/ops/log.ts';
import { behind, nodePodOf } from '../../support/builder.ts';
import { HandClock } from '../kube/hand-clock.ts';

const pod = nodePodOf();
const before = [{ namespace: 'db', place: placeOfPod('uid-of-mongo-0'), wanted: behind(90), timeouts: [90] }];

let world: World;
beforeEach(() => {
  world = new World('n1');
  world.nodes.set('n1', { uid: 'u1', name: 'n1', labels: {} });
  world.pods.set('db/mongo-0', pod);
  const metadata = { name: 'newer', uid: 'u2', generation: 2 };
  const newer = policyRecord('ClusterKeepalivePolicy', { metadata, spec: { mode: 'Newer' } });
  world.clusterkeepalivepolicies.set('newer', newer);
});

function follow(acting: string) {
  world.configmaps.set('keepalive-settings', { uid: 'u3', data: { acting } });
  const selections = selectOnNode(world.gather());
  const holds = [selections.host, ...selections.pods].map(({ wanted }) => wanted.hold);
  const targets = heldTargets(selections, socketTargets(selections), before);
  return { holds, targets, held: [...heldPlaces(selections)] };
}

describe('while one policy cannot be read', () => {
  test('what is held is held on', () => {
    expect(follow('Enforce')).toMatchObject({ holds: [true, true], targets: before });
  });

  test.each(['Audit', 'AuditAndRestore'])('nothing is held where nothing shall act: %s', (acting) => {
    expect(follow(acting)).toEqual({ holds: [false, false], targets: [], held: [] });
  });
});

test('an agent that starts once the ConfigMap is gone goes by what was noted, and is told when that is over', () => {
  const clock = new HandClock();
  const told: string[] = [];
  world = new World('n1', 'agents', clock);
  world.watchAll({
    ...{ client: undefined as never, log: createLog({ level: 'silent', base: {} }) },
    settingsNamespace: 'platform',
    onChange: (resource) => told.push(resource),
  });
  world.holdSwitchedOff();
  clock.advance(59_000);
  expect([world.settings.settings.acting, told]).toEqual(['Audit', []]);
  clock.advance(1000);
  expect([world.settings.settings.acting, told]).toEqual(['Enforce', ['configmaps']]);
});
