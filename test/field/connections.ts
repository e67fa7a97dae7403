import type { Bench } from '../e2e/shared.ts';
import { Clients } from '../scenario/client.ts';
import { isAlive } from '../scenario/result.ts';
import type { Case, Connection } from './case.ts';

const port = '7000';

/** The connections of a case, opened in its pods by a program that sets what the case says and nothing else. */
export class Connections {
  readonly #bench: Bench;
  readonly #one: Case;
  readonly #namespace: string;
  readonly #started: Clients[] = [];

  constructor(bench: Bench, one: Case, namespace: string) {
    this.#bench = bench;
    this.#one = one;
    this.#namespace = namespace;
  }

  /** Resolves when all that are opened then have carried data. */
  async open(opened: Connection['opened']): Promise<void> {
    const own = this.#one.connections.filter((connection) => connection.opened === opened);
    for (const from of new Set(own.map((connection) => connection.from))) {
      const commands = new Map<string, string[]>();
      for (const connection of own.filter((one) => one.from === from))
        commands.set(this.#keyOf(connection), await this.#commandOf(connection));
      const stage = { cluster: this.#bench.cluster, namespace: this.#namespace, signal: undefined };
      const clients = Clients.start(stage, from, { commands, chatty: this.#one.outage !== undefined });
      this.#started.push(clients);
      await clients.connected();
    }
  }

  /** They fall silent, and nothing passes between their pods for a while; what has become of each, in the order of the case. */
  async outlive({ atSecond, seconds }: NonNullable<Case['outage']>): Promise<Connection['then'][]> {
    const between = new Set(this.#one.connections.flatMap(({ from, to }) => [from, to]));
    const pods = await Promise.all([...between].map((name) => this.#pod(name)));
    const ends = `{ ${pods.map(({ status }) => status.podIP).join(', ')} }`;
    // On the clock of the host alone: however slow this process is, it lasts for as long as the case says.
    const script = `
      trap 'nft delete table ip outage' EXIT
      sleep ${atSecond}
      nft -f - <<< 'table ip outage { chain between { type filter hook forward priority raw; ip saddr ${ends} ip daddr ${ends} drop; }; }'
      sleep ${seconds}`;
    for (const clients of this.#started) clients.silence();
    const host = await this.#bench.cluster.lab.host(pods[0]?.spec.nodeName ?? '');
    await host.execOrThrow(['bash', '-ec', script], { cwd: '/' });
    const words = await Promise.all(this.#started.map((clients) => clients.lastWords()));
    const said = new Map(words.flatMap((one) => [...one]));
    return this.#one.connections.map((one) => (isAlive(said.get(this.#keyOf(one)) ?? '') ? 'alive' : 'dead'));
  }

  stop(): void {
    for (const clients of this.#started) clients.stop();
  }

  #keyOf(connection: Connection): string {
    return `c${this.#one.connections.indexOf(connection)}`;
  }

  async #commandOf({ to, over, keepalive, userTimeoutSeconds }: Connection): Promise<string[]> {
    const { outage } = this.#one;
    const { status } = await this.#pod(to);
    // Some seconds after the outage it speaks again; without one, it never does.
    const silent = outage === undefined ? 3600 : outage.atSecond + outage.seconds + 10;
    return [
      ...(over === 'MPTCP' ? ['idle', 'mptcp'] : ['idle']),
      ...['connect', status.podIP, port, '--silent', `${silent}`],
      ...(keepalive === 'none' ? [] : keepalive === 'asked' ? ['--keepalive'] : ['--values', keepalive]),
      ...(userTimeoutSeconds === undefined ? [] : ['--give-up', `${userTimeoutSeconds}`]),
      ...(outage === undefined ? [] : ['--chat']),
    ];
  }

  #pod(name: string): Promise<{ spec: { nodeName: string }; status: { podIP: string } }> {
    return this.#bench.json('pod', name, '-n', this.#namespace);
  }
}
