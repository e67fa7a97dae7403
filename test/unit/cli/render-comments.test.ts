import { describe, expect, test } from '@jest/globals';

import { rendered } from './rendered.ts';

const pod = (context: string) =>
  `apiVersion: v1\nkind: Pod\nmetadata:\n  name: mongo\nspec:\n  securityContext:${context}  containers: []\n`;
const entries = (margin: string, names: readonly string[] = ['time', 'intvl', 'probes']) =>
  names
    .map((name) => {
      const value = { time: 30, intvl: 10, probes: 6 }[name];
      return `${margin}- name: net.ipv4.tcp_keepalive_${name}\n${margin}  value: "${value}"\n`;
    })
    .join('');
const rest = entries('    ', ['intvl', 'probes']);
const list = (item: string) => pod(`\n    sysctls:\n${item}`);

describe('keepalive render leaves comments and block scalars as they are', () => {
  test.each<[string, string, string]>([
    [
      'a comment after a key that has nothing',
      pod(' # none yet\n'),
      pod(` # none yet\n    sysctls:\n${entries('    ')}`),
    ],
    [
      'a comment after a list that is none',
      pod('\n    sysctls: # none\n'),
      pod(`\n    sysctls: # none\n${entries('    ')}`),
    ],
    [
      'a comment after an explicit null',
      pod('\n    sysctls: ~ # none\n'),
      pod(`\n    sysctls: # none\n${entries('    ')}`),
    ],
    [
      'a null on a line of its own, below a comment',
      pod(' # what is\n    # not there\n    null # yet\n'),
      pod(` # what is\n    # not there # yet\n    sysctls:\n${entries('    ')}`),
    ],
    [
      'a comment after a key without a value in a flow',
      pod(' { sysctls: # none\n    }\n'),
      pod(
        ' { sysctls: [{ name: net.ipv4.tcp_keepalive_time, value: "30" }, { name: net.ipv4.tcp_keepalive_intvl, value: "10" }, ' +
          '{ name: net.ipv4.tcp_keepalive_probes, value: "6" }] # none\n    }\n',
      ),
    ],
    [
      'a comment after a dash, with a dash in it',
      list(
        '    - # keep-alive of the NAT - ours\n      name: net.ipv4.tcp_keepalive_time\n      value: "7200"\n',
      ),
      list(
        `    - # keep-alive of the NAT - ours\n      name: net.ipv4.tcp_keepalive_time\n      value: "30"\n${rest}`,
      ),
    ],
    [
      'a comment after a dash of the list that shows how lists are written',
      'apiVersion: v1\nkind: Pod\nmetadata: {name: mongo}\nspec:\n  containers:\n    - # a - b\n      name: mongo\n',
      `apiVersion: v1\nkind: Pod\nmetadata: {name: mongo}\nspec:\n  securityContext:\n    sysctls:\n${entries('      ')}  containers:\n    - # a - b\n      name: mongo\n`,
    ],
    [
      'a literal at the end of the list',
      list('    - name: net.ipv4.tcp_keepalive_time\n      value: |-\n        7200\n'),
      list(`    - name: net.ipv4.tcp_keepalive_time\n      value: "30"\n${rest}`),
    ],
    [
      'a literal with an indent, a comment and lines that are empty after it',
      list(
        '    - value: |2- # two hours\n        7200\n\n      name: net.ipv4.tcp_keepalive_time # of the NAT\n\n',
      ),
      list(
        `    - value: "30" # two hours\n\n      name: net.ipv4.tcp_keepalive_time # of the NAT\n${rest}\n`,
      ),
    ],
    [
      'a folded text that stays',
      list('    - value: "7200"\n      name: >-\n        net.ipv4.tcp_keepalive_time\n'),
      list(`    - value: "30"\n      name: >-\n        net.ipv4.tcp_keepalive_time\n${rest}`),
    ],
  ])('%s', async (_sentence, before, after) => {
    const text = await rendered(before);
    expect(text).toBe(after);
    expect(await rendered(text)).toBe(text);
    const windows = before.replaceAll('\n', '\r\n');
    expect(await rendered(windows)).toBe(text.replaceAll('\n', '\r\n'));
  });

  test('a literal at the end of a file that does not end its last line', async () => {
    const before = list('    - name: net.ipv4.tcp_keepalive_time\n      value: |-\n        7200')
      .replace('  containers: []\n', '')
      .trimEnd();
    expect(await rendered(before)).toBe(
      list(`    - name: net.ipv4.tcp_keepalive_time\n      value: "30"\n${rest}`)
        .replace('  containers: []\n', '')
        .trimEnd(),
    );
  });
});
