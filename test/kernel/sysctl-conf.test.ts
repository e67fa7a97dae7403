import { execFileSync } from 'node:child_process';

import { expect, test } from '@jest/globals';

import { keepalive } from '../support/command-line.ts';

test('what keepalive derive writes for /etc/sysctl.d is read by sysctl, and the kernel holds it', async () => {
  const { stdout: conf } = await keepalive(['derive', '-t', '100', '-o', 'sysctl.conf']);
  // A network of its own, so that this machine keeps its values.
  const script =
    'sysctl -q -p - && cd /proc/sys/net/ipv4/ && cat tcp_keepalive_time tcp_keepalive_intvl tcp_keepalive_probes';
  const held = execFileSync('unshare', ['--net', 'sh', '-c', script], { input: conf, encoding: 'utf8' });
  expect(held).toBe('33\n12\n6\n');
});
