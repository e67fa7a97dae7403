import { join } from 'node:path';

import type { Addresses } from '../cluster/crossing.ts';
import {
  dovecot,
  idleNotifyMinutes,
  imapPackages,
  imapPassword,
  imapPort,
  imapproxy,
} from '../cluster/imap.ts';
import { clientsImage } from '../cluster/image.ts';
import { layOver } from '../cluster/unpacked.ts';
import type { Cell } from './cell.ts';
import { matrix } from './cell.ts';
import type { Scenario } from './scenario.ts';

const image = clientsImage(join(import.meta.dirname, 'clients'));
const forgetsAfterSeconds = 4;
const silentSeconds = 3 * forgetsAfterSeconds;

/** Between proxy and server; outside the networks that test/cluster hands out. */
const behind = { proxy: '10.98.1.1', server: '10.98.1.2' };

export const imap: Scenario = {
  name: 'imap',
  story:
    'Mail clients wait for mail (IDLE) behind a NAT, at an IMAP proxy (imapproxy) with a Dovecot behind it. The NAT ' +
    'forgets an idle connection: new mail is never announced, and the client finds an RST when it speaks again. ' +
    `Dovecot itself would speak every ${idleNotifyMinutes} minutes here (imap_idle_notify_interval).`,
  needs: { images: [image], unpacked: [imapPackages] },
  build: async (stage) => {
    await stage.cluster.load(image.archive);
    const nat = await stage.nat({
      ...{ name: 'nat', kind: 'snat', then: 'reset', outside: 'proxy' },
      forgetsAfterSeconds,
    });
    const [proxy, server] = [nat.outside, await stage.host('dovecot')];
    await stage.cluster.lab.link(
      { host: proxy, device: 'server', addresses: [`${behind.proxy}/30`] },
      { host: server, device: 'proxy', addresses: [`${behind.server}/30`] },
    );
    for (const host of [proxy, server]) await layOver(host, imapPackages);
    await stage.serve(server, dovecot(stage.folder('dovecot')), imapPort);
    await stage.serve(proxy, imapproxy(stage.folder('proxy'), behind.server), imapPort);
    return {
      path: [{ name: 'office-nat', type: 'NAT', idleTimeoutSeconds: forgetsAfterSeconds }],
      image: image.name,
      ways: [
        {
          name: 'a mail client in IDLE',
          client: client(nat.address, ({ asks }) => ['--keepalive', asks ? 'kernel' : 'none']),
          without: ['ECONNRESET (104)'],
          with: 'alive',
          connections: 1,
        },
        {
          name: "the same by imapflow's own value (5 s), longer than the NAT remembers, until the socket itself is mended",
          client: client(nat.address, () => []),
          without: ['ECONNRESET (104)'],
          with: 'alive',
          cells: matrix.filter(({ asks, family, network }) => asks && family === 'IPv4' && network === 'pod'),
          connections: 1,
        },
      ],
    };
  },
};

function client(to: Addresses, more: (cell: Cell) => readonly string[]): (cell: Cell) => readonly string[] {
  return (cell) => [
    ...['node', '/clients/imap.mjs', cell.family === 'IPv4' ? to.v4 : to.v6, `${imapPort}`, imapPassword],
    ...['--silent', `${silentSeconds}`, ...more(cell)],
  ];
}
