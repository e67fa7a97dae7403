import { Activations } from '../../../src/controller/activation.ts';
import { Looks } from '../../../src/controller/look.ts';
import { ApiClient } from '../../../src/kube/client.ts';
import { systemClock } from '../../../src/kube/clock.ts';
import { plain } from '../../../src/kube/connection.ts';
import type { KubeObject } from '../../../src/kube/resource.ts';
import { awaited } from '../../../src/policy/evidence.ts';
import { FakeApiServer, json } from '../../support/api-server.ts';
import type { Rig } from './counts-rig.ts';

/** An API server that has NodeKeepalives, and of which a controller may know less. */
export class LookRig {
  readonly held = new Map<string, KubeObject>();
  /** Called by each look, while it decides. */
  onLook: () => void = () => undefined;
  readonly #server: FakeApiServer;
  readonly #client: ApiClient;

  private constructor(server: FakeApiServer) {
    this.#server = server;
    this.#client = new ApiClient(plain(server.url));
    server.otherwise = (response, asked) => {
      const [, node = ''] = (asked.query.fieldSelector ?? '').split('=');
      const one = this.held.get(node);
      return json({ metadata: { resourceVersion: '9' }, items: one === undefined ? [] : [one] })(
        response,
        asked,
      );
    };
  }

  static async start(): Promise<LookRig> {
    return new LookRig(await FakeApiServer.start());
  }

  /** How many requests there were. */
  get asked(): number {
    return this.#server.asked.length;
  }

  /** Those of the controller of this world. */
  looks({ world }: Rig, unheard: readonly string[] = []): Looks {
    const activations = new Activations(systemClock);
    return new Looks({
      ...{ client: this.#client, world, activations },
      evidenceOf: () => {
        this.onLook();
        return awaited;
      },
      unheard: () => unheard,
    });
  }

  async close(): Promise<void> {
    await this.#client.close();
    await this.#server.close();
  }
}
