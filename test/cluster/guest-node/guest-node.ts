import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { nodeFolder } from '../components.ts';
import type { Host } from '../host.ts';
import type { Lab } from '../lab.ts';
import type { Guest } from '../roster.ts';
import { layOver } from '../unpacked.ts';
import { debian } from './debian.ts';
import { equipment } from './equipment.ts';
import { guestFiles, guestKeys, shellAddress } from './files.ts';
import { packInitrd } from './initrd.ts';
import { guestKernel } from './kernel.ts';
import { qemu } from './machine.ts';
import { command } from './monitor.ts';
import { Shell } from './shell.ts';
import { programsOf, unitLinks } from './units.ts';

export interface GuestDisks {
  readonly programs: string;
  readonly store: string;
}

/** What is around a guest: a host of the lab that has nothing but qemu, and a bridge. */
function machineOf({ name }: Guest): string {
  return `${name}-machine`;
}

function monitorOf(lab: Lab, { name }: Guest): string {
  return join(nodeFolder(lab.folder, name), 'monitor');
}

/** Where the console and the programs of a guest leave their logs, by their names: `g1/kubelet`. */
export function guestLogs(folder: string, { name, spec }: Guest): Record<string, string> {
  const names = ['console', ...programsOf(spec)];
  return Object.fromEntries(names.map((one) => [`${name}/${one}`, join(folder, 'log', name, `${one}.log`)]));
}

/** Starts the machine; its kubelet comes to the API server by itself. What is given back throws once the machine has ended. */
export async function bootGuest(lab: Lab, guest: Guest, disks: GuestDisks): Promise<() => void> {
  const { name, index, spec } = guest;
  const { family } = lab.state;
  const folder = nodeFolder(lab.folder, name);
  const { architecture } = spec;
  const [own, kernel] = [debian(spec.release, architecture), guestKernel(spec.kernel, architecture)];
  const initrd = join(folder, 'initrd');
  for (const one of [folder, join(lab.folder, 'log', name), join(lab.folder, 'tmp')])
    mkdirSync(one, { recursive: true });
  const files = { ...guestFiles({ guest, family }), ...guestKeys(lab.folder, name) };
  await packInitrd({ guest, family, debian: own, kernel, files, links: unitLinks(spec) }, initrd);
  const host = await lab.host(machineOf(guest));
  await layOver(host, equipment(architecture));
  await wire(lab, host, name);
  const logs = guestLogs(lab.folder, guest);
  const argv = qemu({
    ...{ debian: own, kernel, initrd, index, tap: 'tap0', disks: [disks.programs, disks.store] },
    monitor: monitorOf(lab, guest),
    logs: Object.fromEntries(programsOf(spec).map((one) => [one, logs[`${name}/${one}`] ?? ''])),
  });
  const logFile = logs[`${name}/console`] ?? '';
  await host.start(argv, {
    logFile,
    // What has to answer it in time runs on the same processors.
    prefix: ['nice', '-n', '5'],
    // What it writes to its disks is kept beside what else the lab has.
    env: { ...lab.environment(), TMPDIR: join(lab.folder, 'tmp') },
  });
  return () => {
    if (host.find(argv) !== undefined) return;
    throw new Error(`guest ${name} ended: ${readFileSync(logFile, 'utf8').trim().slice(-2000)}`);
  };
}

async function wire(lab: Lab, host: Host, name: string): Promise<void> {
  const bridge = await lab.host('control');
  await lab.link(
    { host: bridge, device: `to-${name}`, addresses: [] },
    { host, device: 'up0', addresses: [] },
  );
  await bridge.ip(`link set to-${name} master lan`);
  await host.execOrThrow(['ip', 'tuntap', 'add', 'dev', 'tap0', 'mode', 'tap'], { cwd: '/' });
  await host.ip(
    'link add lan type bridge',
    ...['up0', 'tap0'].map((port) => `link set ${port} master lan up`),
    'link set lan up',
  );
}

export async function shellOf(lab: Lab, { name, index }: Guest): Promise<Shell> {
  return new Shell(await lab.host('control'), name, shellAddress(index, lab.state.family));
}

/** As if somebody pressed its button: no program is told, and what was written is on its disks. Resolves once it is there again, as `isBack` does. */
export async function resetGuest(lab: Lab, guest: Guest, isBack: () => Promise<unknown>): Promise<void> {
  const onReboot = (reboot: string) => ({ execute: 'set-action', arguments: { reboot } });
  await (await shellOf(lab, guest)).runOrThrow('sync');
  // Its firmware may start it once more by itself before the kernel begins.
  await command(monitorOf(lab, guest), onReboot('reset'), { execute: 'system_reset' });
  await isBack();
  // From now on a machine that starts again by itself has panicked, and ends.
  await command(monitorOf(lab, guest), onReboot('shutdown'));
}

const loads = {
  containerd: 'ctr -n k8s.io images import --label io.cri-containerd.image=managed /var/tmp/given',
  crio: `name=$(tar -xOf /var/tmp/given index.json | grep -o '"org.opencontainers.image.ref.name":"[^"]*"' | cut -d '"' -f 4)
skopeo copy "oci-archive:/var/tmp/given:$name" "containers-storage:$name"`,
};

/** Puts an archive into the store of the running guest. */
export async function loadIntoGuest(lab: Lab, guest: Guest, archive: string): Promise<void> {
  const shell = await shellOf(lab, guest);
  await shell.give(archive, loads[guest.spec.runtime]);
}
