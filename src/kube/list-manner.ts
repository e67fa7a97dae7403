import * as errors from './errors.ts';
import { NoStreamedList } from './mirror.ts';

/**
 * In a row, each by an answer that may pass. It does not where the server lacks what streams need of its etcd (500, with one before 3.5.13), or
 * where its cache never becomes fresh (504): pages are served all the while.
 */
const mostRefusals = 3;

/** How one kind is listed: as a stream where the server can, else by pages. */
export class ListManner {
  #streams: 'yes' | 'not now' | 'never' = 'yes';
  /** Since the last list that came as a stream. */
  #refusals = 0;

  get isStreamed(): boolean {
    return this.#streams === 'yes';
  }

  streamed(): void {
    this.#refusals = 0;
  }

  /** Only after a list that came: a refusal of both would else be asked again and again without a pause. */
  paged(): void {
    if (this.#streams === 'not now') this.#streams = 'yes';
  }

  /** After a stream that failed. True where pages are asked for at once, and not after the pause that another stream would have. */
  failed(error: unknown): boolean {
    const ignored = error instanceof NoStreamedList;
    if (ignored || errors.isInvalid(error) || errors.isForbidden(error)) {
      // A missing permission may be granted later; a parameter that is not known stays so.
      const forever = ignored ? error.forever : errors.isInvalid(error);
      this.#streams = forever ? 'never' : 'not now';
      return true;
    }
    // A server that is not there or has too much to do is no better off with pages.
    if (!errors.isNetwork(error) && !errors.isBusy(error)) this.#refusals += 1;
    if (this.#refusals >= mostRefusals) this.#streams = 'not now';
    return false;
  }
}
