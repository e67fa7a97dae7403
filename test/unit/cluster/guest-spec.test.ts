import { describe, expect, test } from '@jest/globals';

import { describeGuest, parseGuest } from '../../cluster/guest-node/guest-spec.ts';
import { guestsOf, membersOf } from '../../cluster/roster.ts';

describe('--guest', () => {
  test.each([
    [
      'bookworm,containerd',
      { release: 'bookworm', kernel: 'bookworm', runtime: 'containerd', gvisor: false },
    ],
    [
      'trixie,crio',
      { release: 'trixie', kernel: 'trixie', runtime: 'crio', oci: 'runc', conmon: 'system.slice' },
    ],
    [
      'trixie,crio,conmon=pod,crun',
      { release: 'trixie', kernel: 'trixie', runtime: 'crio', oci: 'crun', conmon: 'pod' },
    ],
    [
      'bookworm,containerd,kernel=bullseye',
      { release: 'bookworm', kernel: 'bullseye', runtime: 'containerd', gvisor: false },
    ],
    [
      'bookworm,containerd,kernel=jammy',
      { release: 'bookworm', kernel: 'jammy', runtime: 'containerd', gvisor: false },
    ],
    [
      'trixie,containerd,gvisor',
      { release: 'trixie', kernel: 'trixie', runtime: 'containerd', gvisor: true },
    ],
    [
      'trixie,containerd,arm64',
      { architecture: 'arm64', release: 'trixie', kernel: 'trixie', runtime: 'containerd', gvisor: false },
    ],
  ])('%s', (text, said) => {
    const spec = { architecture: 'amd64', ...said };
    expect(parseGuest(text)).toEqual(spec);
    expect(parseGuest(describeGuest(parseGuest(text)))).toEqual(spec);
  });

  test.each([
    ['', '"" is no Debian of a guest, bookworm and trixie are: write RELEASE,RUNTIME'],
    ['buster,crio', '"buster" is no Debian of a guest'],
    ['bullseye,containerd', 'write bookworm,containerd,kernel=bullseye'],
    ['bookworm', '"" is no runtime of a guest, containerd and crio are'],
    ['trixie,docker', '"docker" is no runtime of a guest'],
    [
      'trixie,crio,kata',
      '"kata" is no option of a guest, runc, crun, gvisor, arm64, conmon=… and kernel=… are',
    ],
    ['trixie,crio,runc,crun', 'a guest has one oci, and "crun" is a second'],
    ['trixie,crio,conmon=user.slice', 'write conmon=pod or conmon=system.slice'],
    ['trixie,crio,kernel=6.12', 'choose one of bullseye, jammy, bookworm, trixie, newest'],
    ['bookworm,crio,crun', 'choose trixie, or runc'],
    ['trixie,containerd,crun', 'only a guest with crio has a choice of runc and crun'],
    ['trixie,containerd,conmon=pod', 'only a guest with crio has a choice of conmon'],
    ['trixie,crio,gvisor', 'only a guest with containerd has gvisor'],
    ['trixie,containerd,gvisor,gvisor', 'a guest has one gvisor, and "gvisor" is a second'],
    ['trixie,containerd,arm64,arm64', 'a guest has one arm64, and "arm64" is a second'],
    [
      'bookworm,containerd,arm64',
      '"bookworm" is not to be had on a guest of arm64: write trixie,containerd,arm64',
    ],
    ['trixie,crio,arm64', '"crio" is not to be had on a guest of arm64'],
    ['trixie,containerd,gvisor,arm64', '"gvisor" is not to be had on a guest of arm64'],
    ['trixie,containerd,arm64,kernel=bookworm', '"kernel=bookworm" is not to be had on a guest of arm64'],
    ['trixie,containerd,arm64,crun', '"crun" is not to be had on a guest of arm64'],
  ])('%s is refused, and what to write instead is said', (text, said) => {
    expect(() => parseGuest(text)).toThrow(said);
  });
});

test('guests are numbered by themselves, and their addresses follow those of the other nodes', () => {
  const roster = { nodes: ['n1', 'n2'], guests: [parseGuest('bookworm,containerd')] };
  expect(guestsOf(roster)).toMatchObject([{ name: 'g1', index: 3 }]);
  expect(membersOf(roster).map(({ name, index }) => [name, index])).toEqual([
    ['n1', 1],
    ['n2', 2],
    ['g1', 3],
  ]);
  expect(guestsOf({ nodes: ['n1'] })).toEqual([]);
});
