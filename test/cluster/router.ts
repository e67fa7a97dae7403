/**
 * NATs that forget. One stands between an inside host and an outside one; the connection tracking of its own
 * network namespace forgets an idle connection after a few seconds and then takes the next packet for a
 * stranger's, as home routers, cloud NAT gateways and IPVS do.
 */
import type { Addresses } from './crossing.ts';
import { Crossing, withLength } from './crossing.ts';
import type { Host } from './host.ts';
import type { Lab } from './lab.ts';

export interface NatOptions {
  readonly name: string;
  /**
   * `snat`: those inside use the outside host's own address. `dnat`: they use an address that the NAT lends it,
   * as with a load balancer, IPVS or a forwarded port. Either way the outside host sees the NAT's address alone.
   */
  readonly kind: 'snat' | 'dnat';
  readonly forgetsAfterSeconds: number;
  /** What the next packet of a forgotten connection meets: an RST, or nothing at all. */
  readonly then: 'reset' | 'silence';
  /** The host on its far side, made if there is none of that name. None: another NAT will stand there. */
  readonly outside?: string;
  /** The NAT that it stands beyond, for several in a row; without one it is wired to the control plane's host. */
  readonly beyond?: Nat;
}

/** Starts a NAT and what stands beyond it. Nodes, pods and the control plane's host reach it by `address`. */
export async function startNat(lab: Lab, options: NatOptions): Promise<Nat> {
  const crossing = Crossing.claim(lab);
  const inside = options.beyond?.router ?? (await lab.host('control'));
  const router = await lab.host(options.name);
  const nat = new Nat(lab, { crossing, inside, router }, options);
  await nat.wire();
  return nat;
}

export class Nat {
  readonly router: Host;
  readonly #lab: Lab;
  readonly #crossing: Crossing;
  readonly #inside: Host;
  readonly #options: NatOptions;
  #outside: Host | undefined;
  /** What it leads to, as it sees it itself. */
  #target: Addresses | undefined;

  constructor(lab: Lab, at: { crossing: Crossing; inside: Host; router: Host }, options: NatOptions) {
    this.#lab = lab;
    this.#crossing = at.crossing;
    this.#inside = at.inside;
    this.router = at.router;
    this.#options = options;
  }

  /** Where those inside find the host at the far end; of the innermost NAT, where there are several in a row. */
  get address(): Addresses {
    const { beyond } = this.#options;
    return beyond === undefined ? this.#seenFromInside : beyond.address;
  }

  /** The host on its far side. */
  get outside(): Host {
    if (this.#outside === undefined)
      throw new Error(`no host was asked for on the far side of ${this.#options.name}`);
    return this.#outside;
  }

  async wire(): Promise<void> {
    const { inside, outside, device } = this.#crossing;
    await this.router.sysctl({ 'net.ipv4.ip_forward': 1, 'net.ipv6.conf.all.forwarding': 1 });
    await this.#lab.link(
      { host: this.#inside, device, addresses: withLength(inside.near) },
      { host: this.router, device: 'inside', addresses: withLength(inside.far) },
    );
    const back = [`route add default via ${inside.near.v4}`, `route add default via ${inside.near.v6}`];
    await this.router.ip(...back);
    if (this.#options.outside === undefined) return;
    this.#outside = await this.#lab.host(this.#options.outside);
    await this.#lab.link(
      { host: this.router, device: 'outside', addresses: withLength(outside.near) },
      { host: this.#outside, device, addresses: withLength(outside.far) },
    );
    await this.#leadTo(outside.far);
  }

  /** Removes the router; the host on its far side stays. */
  async stop(): Promise<void> {
    await this.router.stop();
    const { device } = this.#crossing;
    await this.#lab.unlink(this.#inside, device);
    if (this.#outside !== undefined) await this.#lab.unlink(this.#outside, device);
    this.#crossing.release();
  }

  get #seenFromInside(): Addresses {
    if (this.#options.kind === 'dnat') return this.#crossing.lent;
    if (this.#target === undefined)
      throw new Error(`nothing stands on the far side of ${this.#options.name} yet`);
    return this.#target;
  }

  /** Every NAT on the way leads to what the one beyond it is found by. */
  async #leadTo(target: Addresses): Promise<void> {
    this.#target = target;
    await this.router.nft(rules(this.#options, this.#seenFromInside, target));
    await this.router.sysctl({
      'net.netfilter.nf_conntrack_tcp_timeout_established': this.#options.forgetsAfterSeconds,
      // Else a forgotten connection is taken up again at its next packet.
      'net.netfilter.nf_conntrack_tcp_loose': 0,
    });
    const { far } = this.#crossing.inside;
    const { v4, v6 } = this.#seenFromInside;
    await this.#inside.ip(`route replace ${v4} via ${far.v4}`, `route replace ${v6} via ${far.v6}`);
    const { beyond } = this.#options;
    if (beyond !== undefined) await beyond.#leadTo(this.#seenFromInside);
  }
}

/** What connection tracking does not know is no connection: it meets its fate before any translation. */
function rules({ kind, then }: NatOptions, lent: Addresses, target: Addresses): string {
  const fate = then === 'reset' ? 'reject with tcp reset' : 'drop';
  const lend = `ip daddr ${lent.v4} dnat ip to ${target.v4}
      ip6 daddr ${lent.v6} dnat ip6 to ${target.v6}`;
  return `
  table inet nat {
    chain forgotten {
      type filter hook prerouting priority mangle
      meta l4proto tcp ct state invalid counter ${fate}
    }
    chain arrive {
      type nat hook prerouting priority dstnat
      ${kind === 'dnat' ? lend : ''}
    }
    chain leave {
      type nat hook postrouting priority srcnat
      oifname != "inside" masquerade
    }
  }
  `;
}
