import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** The three values of one network namespace: seconds, seconds, a count. They serve IPv4 and IPv6 alike. */
export interface KeepaliveValues {
  readonly timeSeconds: number;
  readonly intervalSeconds: number;
  readonly probes: number;
}
export type KeepaliveKey = keyof KeepaliveValues;

const fileNames: Readonly<Record<KeepaliveKey, string>> = {
  timeSeconds: 'tcp_keepalive_time',
  intervalSeconds: 'tcp_keepalive_intvl',
  probes: 'tcp_keepalive_probes',
};
export const keepaliveKeys = Object.keys(fileNames) as KeepaliveKey[];

/** What went wrong with one value: ENOENT the kernel has no such value, EROFS or EACCES it may not be written… */
export interface KeepaliveFault {
  readonly key: KeepaliveKey;
  readonly code: string;
}

/** The namespace is no more: its values have to be looked for anew. */
export class NamespaceGone extends Error {
  override readonly name = 'NamespaceGone';
}

const longestText = 32;

interface OpenFile {
  readonly fd: number;
  /** An error code: it can be read and not written. */
  readonly readOnly: string | undefined;
}

/**
 * The three values, held open. An open file stays with the namespace that it was opened in, whoever reads it from
 * wherever: no process number and no name can lead to another one. It does not keep the namespace alive either: once
 * that is gone, reading fails with ENOENT (fs/proc/proc_sysctl.c, grab_header). Measured beside opening them anew for
 * each look, which slows down with the number of namespaces, because all of them share one chain of the kernel's name
 * cache: 6 µs against 60 µs for reading the three values of one among 250.
 */
export class KeepaliveFiles {
  readonly #files: ReadonlyMap<KeepaliveKey, OpenFile>;
  /** Values that this namespace does not have or does not show. */
  readonly #missing: readonly KeepaliveFault[];
  readonly #buffer = Buffer.alloc(longestText);

  private constructor(files: ReadonlyMap<KeepaliveKey, OpenFile>, missing: readonly KeepaliveFault[]) {
    this.#files = files;
    this.#missing = missing;
  }

  /** Of the network namespace that the calling thread is in, by the proc file system mounted at `procRoot`. */
  static open(procRoot: string): KeepaliveFiles {
    const files = new Map<KeepaliveKey, OpenFile>();
    const missing: KeepaliveFault[] = [];
    for (const key of keepaliveKeys) {
      try {
        files.set(key, openFile(join(procRoot, 'sys/net/ipv4', fileNames[key])));
      } catch (error) {
        missing.push({ key, code: codeOf(error) });
      }
    }
    return new KeepaliveFiles(files, missing);
  }

  /** Throws {@link NamespaceGone}. */
  read(): { readonly values: Partial<KeepaliveValues>; readonly faults: readonly KeepaliveFault[] } {
    const values: Partial<Record<KeepaliveKey, number>> = {};
    const faults = [...this.#missing];
    for (const [key, { fd }] of this.#files) {
      try {
        values[key] = this.#readNumber(fd);
      } catch (error) {
        if (codeOf(error) === 'ENOENT') throw new NamespaceGone('the network namespace is gone');
        faults.push({ key, code: codeOf(error) });
      }
    }
    return { values, faults };
  }

  /** One value that cannot be written does not keep the others from it. Throws {@link NamespaceGone}. */
  write(values: Partial<KeepaliveValues>): readonly KeepaliveFault[] {
    const faults: KeepaliveFault[] = [];
    for (const key of keepaliveKeys) {
      const value = values[key];
      const file = this.#files.get(key);
      if (value === undefined || file === undefined) continue;
      if (file.readOnly !== undefined) {
        faults.push({ key, code: file.readOnly });
        continue;
      }
      try {
        writeSync(file.fd, String(value), 0);
      } catch (error) {
        if (codeOf(error) === 'ENOENT') throw new NamespaceGone('the network namespace is gone');
        faults.push({ key, code: codeOf(error) });
      }
    }
    return faults;
  }

  close(): void {
    for (const { fd } of this.#files.values()) closeSync(fd);
  }

  #readNumber(fd: number): number {
    const length = readSync(fd, this.#buffer, 0, longestText, 0);
    const value = Number(this.#buffer.toString('latin1', 0, length));
    if (!Number.isInteger(value)) throw Object.assign(new Error('not a number'), { code: 'EINVAL' });
    return value;
  }
}

/** What may not be written can still be told. */
function openFile(path: string): OpenFile {
  try {
    return { fd: openSync(path, 'r+'), readOnly: undefined };
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT') throw error;
    return { fd: openSync(path, 'r'), readOnly: code };
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'EIO';
}
