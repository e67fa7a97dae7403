import type { StoredDeployment } from './record.ts';

/**
 * Whether the operator is taken away: its Deployment was there, and is gone or asks for no replica. The watch tells
 * before the pods are told to end, and while the rights to say so in a status may still be there.
 */
export class Removal {
  readonly #deployments: () => Iterable<StoredDeployment>;
  readonly #removed = new AbortController();
  #wasThere = false;

  constructor(deployments: () => Iterable<StoredDeployment>) {
    this.#deployments = deployments;
  }

  /** Aborts when it is; never before the Deployment was seen, since the controller may run without one. */
  get signal(): AbortSignal {
    return this.#removed.signal;
  }

  /** To be called when a Deployment changed. */
  look(): void {
    if ([...this.#deployments()].some(({ runs }) => runs)) this.#wasThere = true;
    else if (this.#wasThere) this.#removed.abort();
  }
}
