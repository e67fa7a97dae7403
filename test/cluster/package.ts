import { run, runOrThrow } from './command.ts';

/** What a cluster takes from Debian: network tools, the image builder, and what runc, small C programs, the one for the kernel and the reading of man pages need. */
const packages = [
  'buildah',
  'busybox-static',
  'clang',
  'conntrack',
  'containernetworking-plugins',
  'gcc',
  'iproute2',
  'iptables',
  'libbpf-dev',
  'libc6-dev',
  'libseccomp-dev',
  'mandoc',
  'nftables',
  'openssl',
  'pkg-config',
  'procps',
  'util-linux',
];

export async function missingPackages(): Promise<string[]> {
  const argv = ['dpkg-query', '-W', '-f', '${Package} ${db:Status-Status}\n', ...packages];
  const known = await run(argv).catch(() => undefined);
  const installed = new Set((known?.stdout ?? '').split('\n').filter((line) => line.endsWith(' installed')));
  return packages.filter((name) => !installed.has(`${name} installed`));
}

export async function requireApt(missing: readonly string[]): Promise<void> {
  const found = await run(['apt-get', '--version']).catch(() => undefined);
  if (found?.code === 0) return;
  throw new Error(
    `there is no apt-get to install ${missing.join(', ')}: run this on Debian 12 or later, or a recent Ubuntu`,
  );
}

export async function installPackages(
  names: readonly string[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const options = { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }, signal };
  await runOrThrow(['apt-get', '-q', 'update'], options);
  await runOrThrow(['apt-get', '-q', '-y', '--no-install-recommends', 'install', ...names], options);
}

const itsOwn = 'http://deb.debian.org/debian/';

/** Where this machine itself has Debian's packages from. */
export async function debianMirror(): Promise<string> {
  const format = ['--format', '$(ORIGIN)\t$(LABEL)\t$(REPO_URI)', 'Created-By: Packages'];
  return mirrorIn(await runOrThrow(['apt-get', 'indextargets', ...format]));
}

/** Of origin, label and address, as the lists of apt have them. An address alone does not tell: others publish theirs below /debian/ too. */
export function mirrorIn(listed: string): string {
  const sources = listed.split('\n').map((line) => line.split('\t'));
  const [, , uri = itsOwn] =
    sources.find(
      // Those of security are named after this one.
      ([origin, label, at]) => origin === 'Debian' && label === 'Debian' && at?.includes('/debian/'),
    ) ?? [];
  return uri;
}
