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
/** `ip_vs_getinfo`: version, size of the hash table, how many virtual services; `ip_vs_timeout_user`: three ints. */
const answerBytes = 12;

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
    if (info.readUInt32LE(8) === 0) return undefined;
    getSocketOption(fd, getTimeout, answer);
    return {
      tcpSeconds: answer.readInt32LE(0),
      tcpFinSeconds: answer.readInt32LE(4),
      udpSeconds: answer.readInt32LE(8),
    };
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (['ENOPROTOOPT', 'EPERM', 'EACCES', 'EINVAL'].includes(code)) return undefined;
    throw error;
  } finally {
    close(fd);
  }
}
