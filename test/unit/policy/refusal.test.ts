import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import type { RawEvent } from '../../../src/policy/refusal.ts';
import { refusedIn } from '../../../src/policy/refusal.ts';

const at = '2026-05-04T10:00:00Z';
const event = (message: unknown, rest: Partial<RawEvent> = {}): RawEvent => ({
  metadata: { name: 'web.18a', namespace: 'db', uid: 'e1', creationTimestamp: '2026-05-04T09:00:00Z' },
  message,
  lastTimestamp: at,
  ...rest,
});
const said = (message: string) => {
  const { by, words } = refusedIn(event(message)) ?? {};
  return by === undefined ? undefined : { by, words };
};

describe('who refused, in which words', () => {
  test.each([
    [
      'Pod Security, of a ReplicaSet',
      'Error creating: pods "web-6d-x7k2p" is forbidden: violates PodSecurity "baseline:v1.27": forbidden sysctls (net.ipv4.tcp_keepalive_intvl, net.ipv4.tcp_keepalive_probes, net.ipv4.tcp_keepalive_time)',
      'PodSecurity baseline:v1.27',
      'forbidden sysctls (net.ipv4.tcp_keepalive_intvl, net.ipv4.tcp_keepalive_probes, net.ipv4.tcp_keepalive_time)',
    ],
    [
      'a ValidatingAdmissionPolicy that names only what it lists',
      `Error creating: pods "web-1" is forbidden: ValidatingAdmissionPolicy 'old-baseline' with binding 'everywhere' denied request: sysctls outside the list of this cluster are refused`,
      'ValidatingAdmissionPolicy old-baseline',
      'sysctls outside the list of this cluster are refused',
    ],
    [
      'one without a message of its own, of a StatefulSet',
      `create Pod web-0 in StatefulSet web failed error: pods "web-0" is forbidden: ValidatingAdmissionPolicy 'x' with binding 'y' denied request: failed expression: !has(object.spec.securityContext.sysctls)`,
      'ValidatingAdmissionPolicy x',
      'failed expression: !has(object.spec.securityContext.sysctls)',
    ],
    [
      'one whose binding is gone already',
      `Error creating: pods "web-1" is forbidden: ValidatingAdmissionPolicy 'x' denied request: no sysctls`,
      'ValidatingAdmissionPolicy x',
      'no sysctls',
    ],
    [
      'Kyverno, which writes on several lines',
      'Error creating: admission webhook "validate.kyverno.svc-fail" denied the request: \n\nresource Pod/db/web-1 was blocked due to the following policies \n\nrestrict-sysctls:\n  check-sysctls: \'validation error: Setting additional sysctls above the allowed type is disallowed.',
      'webhook validate.kyverno.svc-fail',
      "resource Pod/db/web-1 was blocked due to the following policies restrict-sysctls: check-sysctls: 'validation error: Setting additional sysctls above the allowed type is disallowed.",
    ],
    [
      'Gatekeeper',
      'Error creating: admission webhook "validation.gatekeeper.sh" denied the request: [psp-forbidden-sysctls] The sysctl net.ipv4.tcp_keepalive_time is not allowed, pod: web-1',
      'webhook validation.gatekeeper.sh',
      '[psp-forbidden-sysctls] The sysctl net.ipv4.tcp_keepalive_time is not allowed, pod: web-1',
    ],
    [
      'a rule about annotations',
      'Error creating: admission webhook "notes.example.com" denied the request: annotation keepalive.dev/requirement is not among those allowed',
      'webhook notes.example.com',
      'annotation keepalive.dev/requirement is not among those allowed',
    ],
    [
      'the constraints of OpenShift',
      'Error creating: pods "web-1" is forbidden: unable to validate against any security context constraint: [pod.spec.securityContext.sysctls[0]: Invalid value: "net.ipv4.tcp_keepalive_time": unsafe sysctl is not allowed]',
      'SecurityContextConstraints',
      "[pod.spec.securityContext.sysctls[0]: Invalid value: 'net.ipv4.tcp_keepalive_time': unsafe sysctl is not allowed]",
    ],
    [
      'the API server itself, where a webhook set hostNetwork afterwards',
      'Error creating: Pod "web-1" is invalid: spec.securityContext.sysctls[0].name: Invalid value: "net.ipv4.tcp_keepalive_time": may not be specified when \'hostNetwork\' is true',
      'the API server',
      "spec.securityContext.sysctls[0].name: Invalid value: 'net.ipv4.tcp_keepalive_time': may not be specified when 'hostNetwork' is true",
    ],
    [
      'many similar events in one',
      '(combined from similar events): Error creating: pods "web-2" is forbidden: violates PodSecurity "restricted:v1.24": allowPrivilegeEscalation != false (container "main"), forbidden sysctls (net.ipv4.tcp_keepalive_time)',
      'PodSecurity restricted:v1.24',
      "allowPrivilegeEscalation != false (container 'main'), forbidden sysctls (net.ipv4.tcp_keepalive_time)",
    ],
  ])('%s', (_sentence, message, by, words) => {
    expect(said(message)).toEqual({ by, words });
  });
});

describe('no reason to give way', () => {
  test.each([
    [
      'a quota',
      'Error creating: pods "web-1" is forbidden: exceeded quota: team, requested: pods=1, used: pods=6, limited: pods=6',
    ],
    [
      'what Pod Security minds of the pod itself',
      'Error creating: pods "web-1" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "main" must set securityContext.allowPrivilegeEscalation=false)',
    ],
    [
      'a sysctl that the pod brought',
      'Error creating: pods "web-1" is forbidden: violates PodSecurity "baseline:latest": forbidden sysctls (kernel.msgmax)',
    ],
    [
      'a policy about something else',
      `Error creating: pods "web-1" is forbidden: ValidatingAdmissionPolicy 'replicas' with binding 'replicas' denied request: too many`,
    ],
    [
      'a webhook without a word',
      'Error creating: admission webhook "x.example.com" denied the request without explanation',
    ],
    [
      'a field that cannot be changed',
      'Error creating: Pod "web-1" is invalid: spec.containers[0].image: Required value',
    ],
    [
      'an account that is missing',
      'Error creating: pods "web-1" is forbidden: error looking up service account db/web: serviceaccount "web" not found',
    ],
    [
      'an account of keepalived that is missing',
      'Error creating: pods "keepalived-7c9-" is forbidden: error looking up service account infra/keepalived: serviceaccount "keepalived" not found',
    ],
    [
      'a quota of that name',
      'Error creating: pods "x" is forbidden: exceeded quota: keepalive-quota, requested: pods=1, used: pods=6, limited: pods=6',
    ],
    [
      'an image of that name',
      'Error creating: admission webhook "validate.kyverno.svc-fail" denied the request: image docker.io/osixia/keepalived:2.0 is not from an allowed registry',
    ],
    [
      'an API server that is away',
      'Error creating: Post "https://10.0.0.1:443/api/v1/namespaces/db/pods": context deadline exceeded (sysctl)',
    ],
  ])('%s', (_sentence, message) => {
    expect(said(message)).toBeUndefined();
  });

  test('an event that says nothing, or not when, or is of no namespace', () => {
    const message = 'pods "x" is forbidden: sysctls are refused';
    expect(refusedIn(event(message))).toBeDefined();
    expect(refusedIn(event(undefined))).toBeUndefined();
    const metadata = { name: 'x', uid: 'e1' };
    expect(refusedIn(event(message, { metadata }))).toBeUndefined();
    const timeless = { metadata: { ...metadata, namespace: 'db' }, lastTimestamp: null };
    expect(refusedIn(event(message, timeless))).toBeUndefined();
    expect(refusedIn(event(message, { lastTimestamp: 'yesterday' }))).toBeUndefined();
  });
});

test('when: of a series the last time, else that of the event', () => {
  const message = 'pods "x" is forbidden: sysctls are refused';
  const when = (rest: Partial<RawEvent>) => refusedIn(event(message, { lastTimestamp: null, ...rest }))?.atMs;
  const later = '2026-05-04T10:30:00.123456Z';
  expect(when({ lastTimestamp: at })).toBe(Date.parse(at));
  expect(when({ eventTime: at, series: { count: 2, lastObservedTime: later } })).toBe(Date.parse(later));
  expect(when({ eventTime: at })).toBe(Date.parse(at));
  expect(when({})).toBe(Date.parse('2026-05-04T09:00:00Z'));
});

test('whatever somebody writes, what is kept of it is one short line', () => {
  const anything = fc.string({ unit: 'binary', maxLength: 2_000 });
  fc.assert(
    fc.property(anything, anything, (name, words) => {
      const message = `admission webhook "${name}" denied the request: sysctl ${words}`;
      const refused = refusedIn(event(message));
      const texts = [refused?.by ?? '', refused?.words ?? ''];
      for (const text of texts) expect(text).not.toMatch(/[\p{C}\n]/u);
      expect([...(texts[0] ?? '')].length).toBeLessThanOrEqual(108);
      expect([...(texts[1] ?? '')].length).toBeLessThanOrEqual(200);
    }),
  );
});

test('nothing is read behind its first 8,192 characters, since a tenant writes as many as he likes', () => {
  const refusal =
    'pods "web-0" is forbidden: violates PodSecurity "baseline": forbidden sysctls (net.ipv4.tcp_keepalive_time)';
  const behind = (characters: number) => said(`${'x'.repeat(characters - 1)} ${refusal}`);
  expect(behind(1_000)?.by).toBe('PodSecurity baseline');
  expect(behind(8_192)).toBeUndefined();
  expect(said(`${refusal}${'a'.repeat(1_300_000)}`)).toEqual(said(`${refusal}${'a'.repeat(7_000)}`));
});
