import type { Endpoint } from './tcp-socket.ts';

const mappedPrefix = Buffer.from('00000000000000000000ffff', 'hex');
const loopback6 = Buffer.from('00000000000000000000000000000001', 'hex');

export function isMapped({ address }: Endpoint): boolean {
  return address.subarray(0, 12).equals(mappedPrefix);
}

/** Whether packets to it stay inside the network namespace: nothing that forgets stands between. */
export function isLoopback(endpoint: Endpoint): boolean {
  return isMapped(endpoint) ? endpoint.address[12] === 127 : endpoint.address.equals(loopback6);
}

/** `192.0.2.1:443`, `[2001:db8::1]:443`; the zeros of IPv6 are left as they are. */
export function describeEndpoint(endpoint: Endpoint): string {
  const { address, port } = endpoint;
  if (isMapped(endpoint)) return `${address.subarray(12).join('.')}:${port}`;
  const groups = Array.from({ length: 8 }, (_, at) => address.readUInt16BE(at * 2).toString(16));
  return `[${groups
    .join(':')
    .replace(/\b0(:0)+\b/, ':')
    .replace(/:{3,}/, '::')}]:${port}`;
}
