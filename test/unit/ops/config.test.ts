import { describe, expect, test } from '@jest/globals';
import { agentConfig, controllerConfig, readConfig } from '../../../src/ops/config.ts';

const environment = { NODE_NAME: 'n1', POD_NAME: 'agent-x' };

test('what is not set has its default, and nothing can be changed', () => {
  const config = readConfig(controllerConfig, { POD_NAME: 'controller-0', LEASE_NAME: '' });
  expect(config).toEqual({
    logLevel: 'info',
    podName: 'controller-0',
    podNamespace: 'keepalive-system',
    metricsAddress: { host: '0.0.0.0', port: 8080 },
    leaseName: 'keepalive-controller',
    concurrency: 4,
  });
  expect([Object.isFrozen(config), Object.isFrozen(config.metricsAddress)]).toEqual([true, true]);
});

test('a flag wins over the variable of the same name', () => {
  const config = readConfig(agentConfig, { ...environment, LOG_LEVEL: 'warn' }, ['--log-level', 'debug']);
  expect([config.logLevel, config.nodeName]).toEqual(['debug', 'n1']);
});

test.each([
  ['127.0.0.1:9090', { host: '127.0.0.1', port: 9090 }],
  ['[::1]:0', { host: '::1', port: 0 }],
  ['localhost:80', { host: 'localhost', port: 80 }],
])('METRICS_ADDRESS=%s is an address', (METRICS_ADDRESS, expected) => {
  expect(readConfig(agentConfig, { ...environment, METRICS_ADDRESS }).metricsAddress).toEqual(expected);
});

describe('a wrong value is told with its name, what was expected and what was got:', () => {
  test.each([
    [{ LOG_LEVEL: 'loud' }, 'LOG_LEVEL (or --log-level): expected one of trace, debug, info', 'got "loud"'],
    [{ METRICS_ADDRESS: '8080' }, 'METRICS_ADDRESS (or --metrics-address): expected host:port', 'got "8080"'],
    [{ METRICS_ADDRESS: '::1:80' }, 'expected host:port', 'got "::1:80"'],
    [{ METRICS_ADDRESS: 'a:70000' }, 'expected host:port', 'got "a:70000"'],
    [{ NODE_NAME: undefined }, 'NODE_NAME (or --node-name): expected the name of the node', 'got nothing'],
    [
      { NODE_NAME: 'Not A Node' },
      'NODE_NAME (or --node-name): expected the name of the node',
      'got "Not A Node"',
    ],
    [{ PROC_ROOT: 'proc' }, 'PROC_ROOT (or --proc-root): expected an absolute path', 'got "proc"'],
  ])('%j', (wrong, expected, got) => {
    const read = () => readConfig(agentConfig, { ...environment, ...wrong });
    expect(read).toThrow(expected);
    expect(read).toThrow(got);
  });

  test.each(['0', '65', '100', 'many', '-1', '1.5'])('CONCURRENCY=%s', (CONCURRENCY) => {
    expect(() => readConfig(controllerConfig, { CONCURRENCY })).toThrow(
      `CONCURRENCY (or --concurrency): expected a whole number from 1 to 64, got "${CONCURRENCY}"`,
    );
  });

  test('all at once, one line each', () => {
    const read = () => readConfig(agentConfig, { LOG_LEVEL: 'loud' });
    expect(read).toThrow(/^LOG_LEVEL .*\nNODE_NAME .*$/);
  });

  test.each([[['--speed', '9']], [['--log-level']], [['extra']]])('arguments %j', (argv) => {
    expect(() => readConfig(agentConfig, environment, argv)).toThrow(/'.*; expected --log-level, --pod-name/);
  });
});
