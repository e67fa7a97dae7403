import { closeSync, openSync, readSync } from 'node:fs';

import { close, getSocketOption, openInternetSocket } from './syscall.ts';

/** Seconds after which IPVS forgets an idle connection: established, after a FIN, UDP. */
export interface IpvsTimeouts {
  readonly tcpSeconds: number;
  readonly tcpFinSeconds: number;
  readonly udpSeconds: number;
}

/** IP_VS_SO_GET_INFO and IP_VS_SO_GET_TIMEOUT (include/uapi/linux/ip_vs.h): IP_VS_BASE_CTL, 64 + 1024 + 64, and 1 and 6. */
const getInfo = { level: 0, name: 1153 };
const getTimeout = { level: 0, name: 1158 };
/** `ip_vs_getinfo`: version, size of the hash table, how many virtual services of IPv4; `ip_vs_timeout_user`: three ints. */
const answerBytes = 12;
/** That of the thread: what is asked is asked in the network namespace that it is in. */
const listFile = '/proc/thread-self/net/ip_vs';
/** Some 700 lines: a service of TCP that stands behind so many others alone is not seen. */
const longestListBytes = 64 * 1024;

/**
 * Of the network namespace that the calling thread is in, as `ipvsadm -l --timeout` asks it. Undefined where the
 * kernel has no IPVS, or not loaded, or does not let us ask (it wants CAP_NET_ADMIN), or where no virtual service is
 * there, so that no connection passes it: kube-proxy loads it in its other modes too.
 */
export function readIpvsTimeouts(): IpvsTimeouts | undefined {
  const fd = openInternetSocket('datagram');
  try {
    const [info, answer] = [Buffer.alloc(answerBytes), Buffer.alloc(answerBytes)];
    getSocketOption(fd, getInfo, info);
    if (info.readUInt32LE(8) === 0 && !listsTcp(readList())) return undefined;
    getSocketOption(fd, getTimeout, answer);
    return timeoutsIn(answer);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (['ENOPROTOOPT', 'EPERM', 'EACCES', 'EINVAL', 'ENOENT'].includes(code)) return undefined;
    throw error;
  } finally {
    close(fd);
  }
}

/** Undefined where IPVS knows no TCP, for which it says 0. */
export function timeoutsIn(answer: Buffer): IpvsTimeouts | undefined {
  const tcpSeconds = answer.readInt32LE(0);
  if (tcpSeconds <= 0) return undefined;
  return { tcpSeconds, tcpFinSeconds: answer.readInt32LE(4), udpSeconds: answer.readInt32LE(8) };
}

/** Whether a connection of TCP may pass one of the services in the kernel's list, which has those of both families. */
export function listsTcp(list: string): boolean {
  return /^(?:TCP|FWM) /m.test(list);
}

function readList(): string {
  const fd = openSync(listFile, 'r');
  try {
    const list = Buffer.alloc(longestListBytes);
    let length = 0;
    for (let read = -1; read !== 0 && length < list.length; length += read)
      read = readSync(fd, list, length, list.length - length, null);
    return list.toString('latin1', 0, length);
  } finally {
    closeSync(fd);
  }
}
