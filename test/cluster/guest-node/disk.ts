import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

import type { Architecture } from '../../../scripts/release/architecture.ts';
import { fill, placeFor } from '../cache.ts';
import { equipped } from './equipment.ts';
import type { GuestSpec } from './guest-spec.ts';

/** A disk beside that of Debian; no guest writes to the file. */
export interface Disk {
  readonly image: string;
  readonly isBuilt: () => boolean;
  readonly build: (signal?: AbortSignal) => Promise<void>;
}

const wanted =
  '{containerd,containerd-shim-{runc-v2,runsc-v1},ctr,runc,runsc,kube,kubelet,kube-proxy,kubectl,crio,pinns}';

/** No mount is needed: mke2fs copies a folder. */
const makeDisk = `# makeDisk FOLDER FILE SPARE_MIB
makeDisk() { mke2fs -q -t ext4 -O ^has_journal -E lazy_itable_init=1 -d "$1" "$2" "$(($(du -sm "$1" | cut -f 1) + $3))M"; }`;

const programScript = `${makeDisk}
disk=$1; shift
folder=$(mktemp -d "$disk.XXXXXX")
cp -a "$@" "$folder"
chmod 755 "$folder"
makeDisk "$folder" "$disk" 64
rm -r "$folder"`;

/** The programs that a node runs, of these folders. */
export function programDisk(folders: readonly string[]): Disk {
  const files = globSync(folders.map((folder) => join(folder, wanted))).sort();
  const state = files.map((file) => `${file} ${statSync(file).size} ${statSync(file).mtimeMs}`);
  return cached('programs', [programScript, ...state], (folder, signal) =>
    equipped(programScript, [join(folder, 'disk.ext4'), ...files], { signal }),
  );
}

/** Pods and further images want room. */
const spareMib = 3000;

/** Importing takes options where the archives are not for this machine. */
const storeScripts = (options: string) => ({
  containerd: `${makeDisk}
disk=$1 PATH=$2:$PATH; shift 2
work=$(mktemp -d "$disk.XXXXXX"); mkdir "$work/store"
# The paths of sockets have to be short; nobody else sees these.
mount -t tmpfs tmpfs /run
cat > "$work/config.toml" <<END
version = 3
root = "$work/store"
state = "/run/state"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime", "io.containerd.nri.v1.nri"]
[grpc]
  address = "/run/socket"
[ttrpc]
  address = "/run/socket.ttrpc"
[plugins."io.containerd.internal.v1.opt"]
  path = "$work/opt"
END
containerd -c "$work/config.toml" > "$work/log" 2>&1 & server=$!
ask() { ctr -a /run/socket "$@"; }
until ask version > /dev/null 2>&1; do kill -0 $server || { cat "$work/log" >&2; exit 1; }; sleep 0.1; done
for archive; do ask -n k8s.io images import ${options}--label io.cri-containerd.image=managed "$archive" > /dev/null; done
kill $server; wait $server || true
makeDisk "$work/store" "$disk" ${spareMib}
rm -r "$work"`,
  crio: `${makeDisk}
disk=$1; shift 2
work=$(mktemp -d "$disk.XXXXXX"); mkdir "$work/store"
export BUILDAH_ISOLATION=chroot
for archive; do
  buildah --storage-driver overlay --root "$work/store" --runroot "$work/run" pull --quiet "oci-archive:$archive" > /dev/null
done
makeDisk "$work/store" "$disk" ${spareMib}
umount "$work/store/overlay" 2> /dev/null || true
rm -r "$work"`,
});

export interface StoreFacts {
  readonly architecture: Architecture;
  readonly runtime: GuestSpec['runtime'];
  readonly archives: readonly string[];
  /** Folders of programs that run here, with containerd. */
  readonly programs: readonly string[];
}

/** What a runtime has after it imported these archives; made at this machine's speed, ten times that of a guest. */
export function storeDisk(facts: StoreFacts): Disk {
  const contents = facts.archives.map((file) => readFileSync(file));
  const key = [facts.runtime, storeScript(facts), ...contents];
  return cached(`images-${facts.runtime}`, key, (folder, signal) =>
    makeStore(facts, join(folder, 'disk.ext4'), signal),
  );
}

export function makeStore(facts: StoreFacts, file: string, signal?: AbortSignal): Promise<string> {
  const { archives, programs } = facts;
  return equipped(storeScript(facts), [file, programs.join(':'), ...archives], { signal });
}

function storeScript({ architecture, runtime }: StoreFacts): string {
  return storeScripts(architecture === 'amd64' ? '' : `--platform linux/${architecture} `)[runtime];
}

function cached(
  name: string,
  inputs: readonly (string | Buffer)[],
  make: (folder: string, signal: AbortSignal | undefined) => Promise<unknown>,
): Disk {
  const place = placeFor('guests', name, inputs);
  return {
    image: join(place, 'disk.ext4'),
    isBuilt: () => existsSync(place),
    build: (signal) =>
      fill(place, async (folder) => {
        await make(folder, signal);
      }),
  };
}
