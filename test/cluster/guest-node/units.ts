/** What systemd of a guest starts, and what it does not. */
import type { GuestSpec } from './guest-spec.ts';

export const SHELL_PORT = 2323;

/** Where a program's log leaves the guest: qemu writes what comes through to a file of the lab. */
export function logPort(program: string): string {
  return `/dev/virtio-ports/${program}`;
}

/** The programs of a node, as their units and their logs are called. */
export function programsOf({ runtime }: Pick<GuestSpec, 'runtime'>): readonly string[] {
  return [runtime, 'kubelet', 'kube-proxy'];
}

export interface UnitFacts {
  readonly spec: GuestSpec;
  readonly name: string;
  /** As the kubelet is told. */
  readonly nodeIps: string;
  /** Where the shell is reached: only the lab's own network leads there. */
  readonly address: string;
}

/** Each by its name. */
export function unitFiles({ spec, name, nodeIps, address }: UnitFacts): Record<string, string> {
  const { runtime } = spec;
  const host = address.includes(':') ? `[${address}]` : address;
  return {
    [`${runtime}.service`]: runtimeUnit(runtime),
    'kubelet.service': `[Unit]
After=${runtime}.service leave.service
Wants=${runtime}.service
[Service]
ExecStart=/usr/local/bin/kubelet --config=/etc/kubernetes/kubelet.yaml --kubeconfig=/etc/kubernetes/kubelet.kubeconfig --node-ip=${nodeIps} --hostname-override=${name}
Restart=always
RestartSec=2
${output('kubelet')}`,
    'kube-proxy.service': `[Service]
ExecStart=/usr/local/bin/kube-proxy --config=/etc/kubernetes/kube-proxy.yaml
Restart=always
RestartSec=2
${output('kube-proxy')}`,
    'leave.service': `[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/nft -f /etc/leave.nft
`,
    // A unit for each connection would cost a second under emulation.
    'shell.service': `[Service]
Environment=HOME=/root
ExecStart=/usr/bin/systemd-socket-activate --listen=${host}:${SHELL_PORT} --accept --inetd /bin/bash
StandardError=null
Restart=always
`,
  };
}

function runtimeUnit(runtime: GuestSpec['runtime']): string {
  const command = { containerd: 'containerd', crio: 'crio --config /etc/crio/crio.conf' }[runtime];
  return `[Unit]
After=dbus.service local-fs.target apparmor.service
[Service]
Type=notify
ExecStart=/usr/local/bin/${command}
Delegate=yes
KillMode=process
LimitNOFILE=1048576
TasksMax=infinity
OOMScoreAdjust=-999
TimeoutStartSec=0
${output(runtime)}`;
}

/** Collecting garbage is dear under emulation, and memory is not. */
function output(program: string): string {
  return `Environment=GOGC=400\nStandardOutput=append:${logPort(program)}\n`;
}

const units = '/etc/systemd/system';

/** Targets by the path of the link: what is wanted at boot, and what is not. */
export function unitLinks(spec: GuestSpec): Record<string, string> {
  const services = [...programsOf(spec), 'leave', 'shell'].map((name) => `${name}.service`);
  return {
    [`${units}/default.target`]: '/lib/systemd/system/multi-user.target',
    ...Object.fromEntries(services.map((one) => [`${units}/multi-user.target.wants/${one}`, `../${one}`])),
    ...Object.fromEntries(idle.map((one) => [`${units}/${one}`, '/dev/null'])),
  };
}

/**
 * Under emulation each unit costs: these keep a machine for years, or wait for people, for hardware or for devices
 * that are there already.
 */
const idle = [
  ...['apt-daily.timer', 'apt-daily-upgrade.timer', 'dpkg-db-backup.timer', 'e2scrub_all.timer'],
  ...['e2scrub_reap.service', 'fstrim.timer', 'man-db.timer', 'motd-news.timer', 'getty@tty1.service'],
  ...['systemd-timesyncd.service', 'systemd-hwdb-update.service', 'systemd-update-utmp.service'],
  ...['systemd-random-seed.service', 'systemd-pstore.service', 'systemd-boot-update.service'],
  ...['systemd-networkd-wait-online.service', 'systemd-udev-settle.service', 'ifupdown-pre.service'],
  ...['systemd-udev-trigger.service', 'systemd-logind.service', 'getty.target'],
  ...['serial-getty@ttyS0.service', 'serial-getty@ttyAMA0.service'],
  ...['systemd-user-sessions.service', 'modprobe@.service', 'systemd-remount-fs.service'],
  ...['systemd-sysusers.service', 'systemd-journal-flush.service', 'systemd-update-done.service'],
  ...['systemd-machine-id-commit.service', 'systemd-firstboot.service', 'ldconfig.service'],
  ...['systemd-binfmt.service', 'sys-kernel-debug.mount', 'sys-kernel-tracing.mount'],
  ...['sys-kernel-config.mount', 'sys-fs-fuse-connections.mount', 'dev-hugepages.mount'],
  ...['systemd-ask-password-console.path', 'systemd-ask-password-wall.path'],
  ...['systemd-tmpfiles-clean.timer', 'systemd-network-generator.service'],
];
