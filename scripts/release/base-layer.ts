import type { Architecture } from './architecture.ts';
import { namesOf } from './architecture.ts';
import type { Entry } from './archive.ts';
import type { DebianPackage } from './debian-package.ts';

/** Whom Node and libbpf are linked with; apt knows whom these are linked with in turn. */
export const roots = ['libatomic1', 'libbpf1', 'libstdc++6'];
/** Says which Debian it is, to scanners; what it depends on makes a whole system and is left out. */
export const nameOfSystem = 'base-files';

/** Of libc6: for debuggers, for other encodings, for name services that nobody has, for vectors that nothing here asks for. */
const unused =
  /\/(audit|gconv)\/|\/lib(mvec|thread_db|nss_(compat|hesiod)|BrokenLocale|anl|c_malloc_debug|memusage|pcprofile|nsl|util)\b/;
const wanted = [
  /^usr\/lib\/.*\.so(\.[0-9.]+)?$/,
  /^usr\/lib64\/ld-/,
  /^usr\/share\/doc\/[^/]+(\/copyright)?$/,
];
const wantedOfSystem =
  /^(etc\/(debian_version|os-release)|usr\/lib\/os-release|usr\/share\/doc\/[^/]+\/copyright)$/;

/** Files that no package has. */
const own: readonly Entry[] = [
  file('etc/group', 'root:x:0:\nnonroot:x:65532:\n'),
  file('etc/nsswitch.conf', 'hosts: files dns\n'),
  file('etc/passwd', 'root:x:0:0:root:/:/nonexistent\nnonroot:x:65532:65532::/tmp:/nonexistent\n'),
  { path: 'tmp', mode: 0o1777 },
];

function file(path: string, text: string): Entry {
  return { path, mode: 0o644, body: Buffer.from(text) };
}

/** What the image has of Debian: libraries, their licences, and what says to scanners which they are. */
export function baseEntries(architecture: Architecture, packages: readonly DebianPackage[]): Entry[] {
  const links = ['lib', ...(architecture === 'amd64' ? ['lib64'] : [])];
  const merged = links.map((path) => ({ path, target: `usr/${path}` }));
  const entries = [...own, ...merged, ...packages.flatMap(entriesOfPackage)];
  const loader = entries.some(({ path }) =>
    path.startsWith(`usr/lib/${namesOf[architecture].folder}/libc.so`),
  );
  if (!loader) throw new Error(`the packages for ${architecture} have no C library at its usual place`);
  return entries;
}

function entriesOfPackage({ name, control, files }: DebianPackage): Entry[] {
  const isWanted = (path: string) =>
    name === nameOfSystem
      ? wantedOfSystem.test(path)
      : wanted.some((one) => one.test(path)) && !unused.test(path);
  return [
    // Where those look who read images without a package manager.
    { path: `var/lib/dpkg/status.d/${name}`, mode: 0o644, body: control },
    ...files.map(merge).filter(({ path }) => isWanted(path)),
  ];
}

/** As on every Debian since 12: /lib and /lib64 are those of /usr. */
function merge(entry: Entry): Entry {
  return { ...entry, path: entry.path.replace(/^lib(64)?\//, 'usr/lib$1/') };
}
