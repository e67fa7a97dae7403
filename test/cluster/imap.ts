/** Dovecot and an IMAP proxy before it, with all they write in a folder of the lab or in their host's own /run. */
import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { unpacked } from './unpacked.ts';

export const imapPackages = unpacked('imap', ['dovecot-imapd', 'imapproxy']);
export const imapPort = 143;
/** For every user: whoever logs in first has a mailbox. */
export const imapPassword = 'secret';
/** As long as RFC 2177 lets a client wait; Debian's is 2 minutes. Within a shorter silence Dovecot does not speak. */
export const idleNotifyMinutes = 29;

/** Uid and gid of `mail` on every Debian. */
const mail = 8;

/** Writes Dovecot's configuration into the folder; gives back its command line. */
export function dovecot(folder: string): string[] {
  const boxes = join(folder, 'boxes');
  mkdirSync(boxes, { recursive: true });
  chownSync(boxes, mail, mail);
  const file = join(folder, 'dovecot.conf');
  writeFileSync(
    file,
    `
# Its sockets: a longer path would not fit into an address of theirs.
base_dir = /run/dovecot
state_dir = /run/dovecot-state
log_path = /dev/stderr
protocols = imap
listen = *, ::
ssl = no
disable_plaintext_auth = no
# The users that the package would make are not on this machine.
default_internal_user = nobody
default_internal_group = nogroup
default_login_user = daemon
first_valid_uid = ${mail}
mail_location = maildir:${boxes}/%u
mail_max_userip_connections = 1000
imap_idle_notify_interval = ${idleNotifyMinutes} mins
passdb {
  driver = static
  args = password=${imapPassword}
}
userdb {
  driver = static
  args = uid=${mail} gid=${mail} home=${boxes}/%u
}
service imap-login {
  chroot =
  inet_listener imap {
    port = ${imapPort}
  }
  inet_listener imaps {
    port = 0
  }
}
service anvil {
  chroot =
}
`,
  );
  // It starts itself anew by its full path, and is found by its command line.
  return ['/usr/sbin/dovecot', '-F', '-c', file];
}

/** The same for the proxy, which must find the server already serving. */
export function imapproxy(folder: string, server: string): string[] {
  const file = join(folder, 'imapproxy.conf');
  writeFileSync(
    file,
    `
server_hostname ${server}
server_port ${imapPort}
# IPv4 too.
listen_address ::
listen_port ${imapPort}
cache_size 3072
cache_expiration_time 300
connect_retries 1
connect_delay 1
proc_username nobody
proc_groupname nogroup
stat_filename /run/pimpstats
protocol_log_filename /run/imapproxy_protocol.log
syslog_facility LOG_MAIL
# Debian's default: it does not ask for keepalive.
send_tcp_keepalives no
enable_select_cache no
enable_admin_commands no
force_tls no
foreground_mode yes
`,
  );
  return ['imapproxyd', '-f', file];
}
