import { pauseImage } from '../image.ts';
import type { GuestSpec } from './guest-spec.ts';

/** What CRI-O is configured with. */
export function crioToml({ oci, conmon }: Extract<GuestSpec, { runtime: 'crio' }>): string {
  const path = { crun: '/usr/bin/crun', runc: '/usr/local/bin/runc' }[oci];
  return `[crio]
root = "/var/lib/containers/storage"
runroot = "/run/containers/storage"
storage_driver = "overlay"
[crio.api]
listen = "/run/crio/crio.sock"
[crio.runtime]
default_runtime = "${oci}"
cgroup_manager = "systemd"
conmon_cgroup = "${conmon}"
pinns_path = "/usr/local/bin/pinns"
[crio.runtime.runtimes.${oci}]
runtime_path = "${path}"
runtime_type = "oci"
runtime_root = "/run/${oci}"
monitor_path = "/usr/bin/conmon"
monitor_cgroup = "${conmon}"
monitor_env = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]
[crio.image]
pause_image = "${pauseImage}"
pause_command = "/pause"
signature_policy = "/etc/containers/policy.json"
[crio.network]
network_dir = "/etc/cni/net.d"
plugin_dirs = ["/usr/lib/cni"]
`;
}
