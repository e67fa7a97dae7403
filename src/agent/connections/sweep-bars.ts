/** Kept as long as it holds, whoever asks: else a tenant would be rid of it by asking for nothing and then again. */
interface Bar {
  hangs: number;
  isHanging: boolean;
  untilMs: number;
  /** When it is as if it had never been. */
  forgottenMs: number;
}

/** After so many hangs in one network, the locks of its sockets are not waited for any more. */
const mostHangs = 2;
const barMs = { failing: 600_000, hanging: 3_600_000 };

/** Which network namespaces are not swept, by their cookies: what hangs or fails there would do so again. */
export class SweepBars {
  readonly #bars = new Map<bigint, Bar>();

  /** It failed too often in a row. */
  failed(cookie: bigint, nowMs: number): void {
    const bar = this.#barOf(cookie);
    bar.untilMs = nowMs + barMs.failing;
    bar.forgottenMs = bar.untilMs;
  }

  /** Until {@link released}, nobody waits for the locks of its sockets. */
  hung(cookie: bigint): void {
    const bar = this.#barOf(cookie);
    bar.hangs += 1;
    bar.isHanging = true;
  }

  /** What hung there has come back. */
  released(cookie: bigint, nowMs: number): void {
    const bar = this.#barOf(cookie);
    bar.isHanging = false;
    bar.forgottenMs = nowMs + barMs.hanging;
    if (bar.hangs >= mostHangs) bar.untilMs = nowMs + barMs.hanging;
  }

  isBarred(cookie: bigint, nowMs: number): boolean {
    return nowMs < this.untilMs(cookie);
  }

  /** Infinity while nobody can tell; -Infinity where it never was barred. */
  untilMs(cookie: bigint): number {
    const bar = this.#bars.get(cookie);
    return bar?.isHanging === true ? Infinity : (bar?.untilMs ?? -Infinity);
  }

  /** When the next bar is lifted by itself; undefined where none is. */
  nextLiftMs(nowMs: number): number | undefined {
    const times = [...this.#bars.values()].map(({ untilMs }) => untilMs).filter((ms) => ms > nowMs);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** What has not been for long. */
  forget(nowMs: number): void {
    for (const [cookie, bar] of this.#bars)
      if (!bar.isHanging && nowMs > bar.forgottenMs) this.#bars.delete(cookie);
  }

  #barOf(cookie: bigint): Bar {
    const bar = this.#bars.get(cookie) ?? {
      hangs: 0,
      isHanging: false,
      ...{ untilMs: -Infinity, forgottenMs: Infinity },
    };
    this.#bars.set(cookie, bar);
    return bar;
  }
}
