import { describe, expect, test } from '@jest/globals';

import { dnsLabel, hopSchema } from '../../../src/api/hop.ts';
import type { HopType } from '../../../src/api/resolved-hop.ts';
import { hopTypes, resolveHop } from '../../../src/api/resolved-hop.ts';
import { idleTimeoutBounds } from '../../../src/api/idle-timeout.ts';
import type { PresetName } from '../../../src/api/presets.ts';
import { presetNames, presets } from '../../../src/api/presets.ts';

describe.each(presetNames)('preset %s', (name) => {
  const preset = presets[name];

  test('can stand for the name of a hop', () => {
    expect(name).toMatch(dnsLabel);
    expect(name.length).toBeLessThanOrEqual(63);
    expect(resolveHop({ preset: name })?.name).toBe(name);
  });

  test('has a timeout that a path may declare', () => {
    expect(Number.isInteger(preset.idleTimeoutSeconds)).toBe(true);
    expect(preset.idleTimeoutSeconds).toBeGreaterThanOrEqual(idleTimeoutBounds.min);
    expect(preset.idleTimeoutSeconds).toBeLessThanOrEqual(idleTimeoutBounds.max);
    expect(hopTypes).toContain(preset.type);
  });

  test('says what it is and where its number is from', () => {
    expect(preset.title).not.toBe('');
    if (preset.source.startsWith('http')) expect(new URL(preset.source).protocol).toBe('https:');
    else expect(preset.source.split(' ').length).toBeGreaterThan(2);
  });
});

test('no two presets have one title', () => {
  const titles = presetNames.map((name) => presets[name].title);
  expect(new Set(titles).size).toBe(titles.length);
});

test.each<[PresetName, HopType, number]>([
  ['aws-alb', 'Proxy', 60],
  ['aws-clb', 'Proxy', 60],
  ['aws-rds-proxy', 'Proxy', 1800],
  ['aws-nlb-tls', 'LoadBalancer', 350],
  ['calico-ebpf', 'Conntrack', 3600],
  ['openstack-octavia', 'Proxy', 50],
  ['openshift-router', 'Proxy', 30],
  ['openshift-router-tunnel', 'Proxy', 3600],
  ['nsx-distributed-firewall', 'Firewall', 43_200],
  ['nsx-gateway-firewall', 'Firewall', 7200],
  ['avi-tcp-fast-path', 'LoadBalancer', 300],
  ['huawei-elb', 'LoadBalancer', 300],
  ['huawei-elb-http', 'Proxy', 60],
])(
  '%s is a %s of %i s: no probe keeps a proxy alive, whatever its name',
  (name, type, idleTimeoutSeconds) => {
    expect(presets[name]).toMatchObject({ type, idleTimeoutSeconds });
  },
);

test('who reads about type learns that an application load balancer is a Proxy', () => {
  expect(hopSchema.shape.type.description).toMatch(/Proxy is .* application load balancer \(AWS ALB\)/);
});
