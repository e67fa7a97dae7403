import { expect, test } from '@jest/globals';

import { mirrorIn } from '../../cluster/package.ts';

const mirror = 'http://mirror.example/debian/';
const debian = `Debian\tDebian\t${mirror}`;
const thirdParty = 'Third Party\tThird Party CE\thttps://third-party.example/linux/debian/';
const security = 'Debian\tDebian-Security\thttp://mirror.example/debian/security/';
const ubuntu = 'Ubuntu\tUbuntu\thttp://mirror.example/ubuntu/';
const itself = 'http://deb.debian.org/debian/';

test.each([
  ['from the mirror of this machine', [debian], mirror],
  ['from there even where the list of somebody else comes first', [thirdParty, debian], mirror],
  ['from there and not from where only the fixes are', [security, debian], mirror],
  [
    'from a mirror that keeps what was there on a day',
    [debian.replace(/$/, '20261101T000000Z/')],
    `${mirror}20261101T000000Z/`,
  ],
  ['from Debian itself where this machine has only lists of others', [thirdParty, ubuntu], itself],
  ['from Debian itself where there is no list yet', [], itself],
])("Debian's packages come %s", (_which, lines, expected) => {
  expect(mirrorIn(lines.map((line) => `${line}\n`).join(''))).toBe(expected);
});
