import { describe, expect, test } from '@jest/globals';
import {
  agentConfig,
  agentNamespaceOf,
  controllerConfig,
  readConfig,
  settingsNamespaceOf,
} from '../../../src/ops/config.ts';

const environment = { LEASE_NAME: 'lease-x', POD_NAME: 'controller-x' };

test('what is not set has its default, and nothing can be changed', () => {
  const config = readConfig(controllerConfig, { POD_NAME: 'controller-0', LEASE_NAME: '' });
  expect(config).toEqual({
    agents: 'some',
    admission: 'auto',
    webhookAddress: { host: '::', port: 9443 },
    logLevel: 'info',
    podName: 'controller-0',
    podNamespace: 'keepalive-system',
    metricsAddress: { host: '::', port: 8080 },
    leaseName: 'keepalive-controller',
    concurrency: 4,
  });
  expect([Object.isFrozen(config), Object.isFrozen(config.metricsAddress)]).toEqual([true, true]);
});

test.each([
  ['of the manifests', {}, 'keepalive-agent'],
  ['of an overlay that puts all into one namespace', { POD_NAMESPACE: 'platform' }, 'platform'],
  ['that are elsewhere', { POD_NAMESPACE: 'platform', AGENT_NAMESPACE: 'agents' }, 'agents'],
  ['that there are none of', { AGENTS: 'none' }, 'keepalive-system'],
  [
    'that there are none of, whatever else is said',
    { AGENTS: 'none', POD_NAMESPACE: 'platform', AGENT_NAMESPACE: 'agents' },
    'platform',
  ],
])('agents %s are looked for in their namespace', (_whose, environment, namespace) => {
  expect(agentNamespaceOf(readConfig(controllerConfig, environment))).toBe(namespace);
});

test.each([
  ['of the manifests', {}, 'keepalive-system'],
  ['of an overlay that puts all into one namespace', { POD_NAMESPACE: 'platform' }, 'platform'],
  ['that are elsewhere', { POD_NAMESPACE: 'platform', SETTINGS_NAMESPACE: 'settings' }, 'settings'],
])('agents read settings %s in their namespace', (_whose, variables, namespace) => {
  const config = readConfig(agentConfig, { ...variables, NODE_NAME: 'n1' });
  expect(settingsNamespaceOf(config)).toBe(namespace);
});

test('a flag wins over the variable of the same name', () => {
  const config = readConfig(controllerConfig, { ...environment, LOG_LEVEL: 'warn' }, [
    '--log-level',
    'debug',
  ]);
  expect([config.logLevel, config.leaseName]).toEqual(['debug', 'lease-x']);
});

test.each([
  ['127.0.0.1:9090', { host: '127.0.0.1', port: 9090 }],
  ['[::1]:0', { host: '::1', port: 0 }],
  ['localhost:80', { host: 'localhost', port: 80 }],
])('METRICS_ADDRESS=%s is an address', (METRICS_ADDRESS, expected) => {
  expect(readConfig(controllerConfig, { ...environment, METRICS_ADDRESS }).metricsAddress).toEqual(expected);
});

describe('a wrong value is told with its name, what was expected and what was got:', () => {
  test.each([
    [{ LOG_LEVEL: 'loud' }, 'LOG_LEVEL (or --log-level): expected one of trace, debug, info', 'got "loud"'],
    [{ METRICS_ADDRESS: '8080' }, 'METRICS_ADDRESS (or --metrics-address): expected host:port', 'got "8080"'],
    [{ METRICS_ADDRESS: '::1:80' }, 'expected host:port', 'got "::1:80"'],
    [{ METRICS_ADDRESS: 'a:70000' }, 'expected host:port', 'got "a:70000"'],
    [
      { LEASE_NAME: 'Not A Name' },
      'LEASE_NAME (or --lease-name): expected the name of a Lease',
      'got "Not A Name"',
    ],
  ])('%j', (wrong, expected, got) => {
    const read = () => readConfig(controllerConfig, { ...environment, ...wrong });
    expect(read).toThrow(expected);
    expect(read).toThrow(got);
  });

  test.each(['0', '65', '100', 'many', '-1', '1.5'])('CONCURRENCY=%s', (CONCURRENCY) => {
    expect(() => readConfig(controllerConfig, { CONCURRENCY })).toThrow(
      `CONCURRENCY (or --concurrency): expected a whole number from 1 to 64, got "${CONCURRENCY}"`,
    );
  });

  test('all at once, one line each', () => {
    const read = () => readConfig(controllerConfig, { LOG_LEVEL: 'loud', CONCURRENCY: '0' });
    expect(read).toThrow(/^LOG_LEVEL .*\nCONCURRENCY .*$/);
  });

  test.each([[['--speed', '9']], [['--log-level']], [['extra']]])('arguments %j', (argv) => {
    expect(() => readConfig(controllerConfig, environment, argv)).toThrow(
      /'.*; expected --log-level, --pod-name/,
    );
  });
});
