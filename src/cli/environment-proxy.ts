import { BlockList, isIP } from 'node:net';

import { CommandError } from './terminal.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Through which proxy kubectl reaches a server whose kubeconfig names none (golang.org/x/net/http/httpproxy). Not by undici,
 * which knows no ranges of addresses: NO_PROXY=10.0.0.0/8 is how many an API server is left out.
 */
export function proxyOf(server: string, environment: Environment): string | undefined {
  const { HTTPS_PROXY, https_proxy, NO_PROXY, no_proxy } = environment;
  const proxy = [HTTPS_PROXY, https_proxy].find(Boolean);
  if (proxy === undefined || !server.startsWith('https:') || !URL.canParse(server)) return undefined;
  const exceptions = [NO_PROXY, no_proxy].find(Boolean)?.toLowerCase().split(',') ?? [];
  const target = targetOf(server);
  if ([...loopback, ...exceptions].some((one) => isExcepted(target, one.trim()))) return undefined;
  const url = proxy.includes('://') ? proxy : `http://${proxy}`;
  if (URL.canParse(url)) return url;
  throw new CommandError('HTTPS_PROXY is no address of a proxy: set it to one, as http://proxy.example:3128');
}

/** There kubectl asks no proxy, whatever is set. */
const loopback = ['localhost', '127.0.0.0/8', '::1'];

interface Target {
  readonly host: string;
  readonly port: string;
}

function targetOf(server: string): Target {
  const { hostname, port } = new URL(server);
  return { host: hostname.replace(/^\[(.+)\]$/, '$1'), port: port || '443' };
}

function isExcepted({ host, port }: Target, exception: string): boolean {
  if (exception === '*') return true;
  if (exception.includes('/') || isIP(exception) !== 0) return isWithin(host, exception);
  const [, name = '', only = port] = /^\[?(.+?)\]?(?::(\d+))?$/.exec(exception) ?? [];
  return name !== '' && only === port && (isWithin(host, name) || isBelow(host, name));
}

/** `range`: also one address. */
function isWithin(host: string, range: string): boolean {
  const [base = '', prefix] = range.split('/');
  if (isIP(host) === 0 || isIP(base) !== isIP(host)) return false;
  const [family, bits] = isIP(host) === 4 ? (['ipv4', 32] as const) : (['ipv6', 128] as const);
  const length = Number(prefix ?? bits);
  const list = new BlockList();
  // What is no range excepts nothing.
  if (Number.isInteger(length) && length <= bits) list.addSubnet(base, length, family);
  return list.check(host, family);
}

/** A name is for all below it too; one with a dot before it, for those alone. */
function isBelow(host: string, name: string): boolean {
  const suffix = name.replace(/^\*(?=\.)/, '');
  return suffix.startsWith('.') ? host.endsWith(suffix) : host === suffix || host.endsWith(`.${suffix}`);
}
