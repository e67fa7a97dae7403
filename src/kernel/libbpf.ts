/**
 * libbpf, as much of it as is needed: it loads programs whose references to fields of the kernel are resolved by the
 * running one (CO-RE). Every function throws an Error with `code` and `syscall`, as Node's own do.
 */
import { getSystemErrorName } from 'node:util';

import koffi from 'koffi';

import { close } from './syscall.ts';

const libraryName = 'libbpf.so.1';

type Call<R = number> = (...args: unknown[]) => R;
/** A pointer that only libbpf looks behind. */
export type Opaque = unknown;

interface Library {
  readonly setPrint: Call<unknown>;
  readonly open: Call<Opaque>;
  readonly load: Call;
  readonly close: Call<void>;
  readonly findProgram: Call<Opaque>;
  readonly findMap: Call<Opaque>;
  readonly mapFd: Call;
  readonly attachGroup: Call<Opaque>;
  readonly attachIterator: Call<Opaque>;
  readonly linkFd: Call;
  readonly destroyLink: Call;
  readonly pin: Call;
  readonly get: Call;
  readonly detach: Call;
  readonly createIterator: Call;
  readonly setAutoload: Call;
  readonly update: Call;
  readonly remove: Call;
  readonly nextKey: Call;
  readonly lookup: Call;
  readonly query: Call;
  readonly programById: Call;
  readonly info: Call;
}

let loaded: Library | undefined;

/** Throws with the code ENOENT where the library is not installed. */
function library(): Library {
  if (loaded !== undefined) return loaded;
  const lib = openLibrary();
  loaded = {
    setPrint: lib.func('void *libbpf_set_print(void *print)'),
    open: lib.func('void *bpf_object__open_mem(const void *data, size_t size, const void *options)'),
    load: lib.func('int bpf_object__load(void *object)'),
    close: lib.func('void bpf_object__close(void *object)'),
    findProgram: lib.func('void *bpf_object__find_program_by_name(const void *object, const char *name)'),
    findMap: lib.func('void *bpf_object__find_map_by_name(const void *object, const char *name)'),
    mapFd: lib.func('int bpf_map__fd(const void *map)'),
    attachGroup: lib.func('void *bpf_program__attach_cgroup(void *program, int group)'),
    attachIterator: lib.func('void *bpf_program__attach_iter(void *program, const void *options)'),
    linkFd: lib.func('int bpf_link__fd(const void *link)'),
    destroyLink: lib.func('int bpf_link__destroy(void *link)'),
    pin: lib.func('int bpf_obj_pin(int fd, const char *path)'),
    get: lib.func('int bpf_obj_get(const char *path)'),
    detach: lib.func('int bpf_link_detach(int link)'),
    createIterator: lib.func('int bpf_iter_create(int link)'),
    setAutoload: lib.func('int bpf_program__set_autoload(void *program, bool load)'),
    update: lib.func('int bpf_map_update_elem(int map, const void *key, const void *value, uint64_t flags)'),
    remove: lib.func('int bpf_map_delete_elem(int map, const void *key)'),
    nextKey: lib.func('int bpf_map_get_next_key(int map, const void *key, _Out_ void *next)'),
    lookup: lib.func('int bpf_map_lookup_elem(int map, const void *key, _Out_ void *value)'),
    query: lib.func(
      'int bpf_prog_query(int group, int type, uint32_t how, _Out_ uint32_t *flags, _Out_ void *ids, _Inout_ uint32_t *count)',
    ),
    programById: lib.func('int bpf_prog_get_fd_by_id(uint32_t id)'),
    // The newer function for programs alone is not in libbpf 1.1.
    info: lib.func('int bpf_obj_get_info_by_fd(int fd, _Out_ void *info, _Inout_ uint32_t *length)'),
  };
  // Its complaints go to standard error by default, line by line.
  loaded.setPrint(null);
  return loaded;
}

function openLibrary() {
  try {
    return koffi.load(libraryName);
  } catch {
    throw fault('ENOENT', libraryName);
  }
}

function fault(code: string, syscall: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code} at ${syscall}`), { code, syscall });
}

/** libbpf has errors of its own from here on (tools/lib/bpf/libbpf.h, libbpf_errno). */
const firstOfLibbpf = 4000;

/** Newer functions return the negated error, older ones set errno: version 1 does both. */
function lastFault(what: string): NodeJS.ErrnoException {
  const errno = koffi.errno();
  return fault(errno < firstOfLibbpf ? getSystemErrorName(-errno) : `libbpf's ${errno}`, what);
}

function checked(what: string, result: number): number {
  if (result < 0) throw lastFault(what);
  return result;
}

function present(what: string, pointer: Opaque): Opaque {
  if (pointer === null) throw lastFault(what);
  return pointer;
}

/** An object file of BPF programs and maps; nothing of it is in the kernel until {@link load}. */
export class BpfObject {
  readonly #object: Opaque;

  constructor(file: Buffer) {
    const lib = library();
    this.#object = present('open', lib.open(file, file.length, null));
  }

  /** The program is left out by {@link load}. */
  leaveOut(program: string): void {
    checked(program, library().setAutoload(this.#program(program), false));
  }

  /** Into the kernel. EPERM without rights, ESRCH without BTF, EINVAL or EACCES where the verifier refuses a program. */
  load(): void {
    checked('load', library().load(this.#object));
  }

  /** Pins a map. */
  pinMap(map: string, path: string): void {
    const lib = library();
    const found = present(map, lib.findMap(this.#object, map));
    checked(`pin ${map}`, lib.pin(lib.mapFd(found), path));
  }

  /** Attaches a program to a control group, beside those of others (BPF_F_ALLOW_MULTI), and pins that. */
  pinToGroup(program: string, group: number, path: string): void {
    this.#pinLink(program, path, library().attachGroup(this.#program(program), group));
  }

  /** Makes an iterator of a program, over a map where it needs one, and pins that. */
  pinIterator(program: string, path: string, map?: string): void {
    const lib = library();
    const options = map === undefined ? null : iteratorOver(lib.mapFd(lib.findMap(this.#object, map)));
    this.#pinLink(program, path, lib.attachIterator(this.#program(program), options?.bytes ?? null));
  }

  close(): void {
    library().close(this.#object);
  }

  #program(name: string): Opaque {
    return present(name, library().findProgram(this.#object, name));
  }

  #pinLink(program: string, path: string, link: Opaque): void {
    const lib = library();
    present(`attach ${program}`, link);
    try {
      checked(`pin ${program}`, lib.pin(lib.linkFd(link), path));
    } finally {
      lib.destroyLink(link);
    }
  }
}

/** `bpf_iter_attach_opts` around a `bpf_iter_link_info` that names a map (tools/lib/bpf/libbpf.h, include/uapi/linux/bpf.h). */
function iteratorOver(mapFd: number): { readonly bytes: Buffer; readonly info: Buffer } {
  const info = Buffer.alloc(16);
  info.writeUInt32LE(mapFd);
  const bytes = Buffer.alloc(24);
  bytes.writeBigUInt64LE(BigInt(bytes.length), 0);
  bytes.writeBigUInt64LE(BigInt(koffi.address(info)), 8);
  bytes.writeUInt32LE(info.length, 16);
  return { bytes, info };
}

/** A descriptor of what is pinned there. ENOENT where nothing is. */
export function openPinned(path: string): number {
  return checked('obj_get', library().get(path));
}

/** What is attached by that link acts no more, whoever holds the link. */
export function detachLink(link: number): void {
  checked('link_detach', library().detach(link));
}

/** `bpf_link_info` of a link to a control group (include/uapi/linux/bpf.h): `type`, and behind `id` and `prog_id` the group. */
const linkInfo = { bytes: 32, typeAt: 0, groupAt: 16, typeOfGroups: 3 };

/** The control group that a pinned link acts in, by its inode number; 0 where that was removed, and the link acts nowhere. */
export function groupOfLink(path: string): bigint {
  const link = openPinned(path);
  try {
    const info = Buffer.alloc(linkInfo.bytes);
    checked('obj_get_info_by_fd', library().info(link, info, [info.length]));
    if (info.readUInt32LE(linkInfo.typeAt) !== linkInfo.typeOfGroups)
      throw fault('EINVAL', 'obj_get_info_by_fd');
    return info.readBigUInt64LE(linkInfo.groupAt);
  } finally {
    close(link);
  }
}

/** What is read of it was so in the network namespace that the calling thread is in at this moment. */
export function createIterator(link: number): number {
  return checked('iter_create', library().createIterator(link));
}

/** E2BIG where the map is full. */
export function updateMap(map: number, key: Buffer, value: Buffer): void {
  checked('map_update', library().update(map, key, value, 0));
}

export function removeFromMap(map: number, key: Buffer): void {
  try {
    checked('map_delete', library().remove(map, key));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/** All keys, as long as nobody else changes the map meanwhile. */
export function keysOf(map: number, keyBytes: number): Buffer[] {
  const keys: Buffer[] = [];
  for (let key: Buffer | null = null; ;) {
    const next: Buffer = Buffer.alloc(keyBytes);
    try {
      checked('map_get_next_key', library().nextKey(map, key, next));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return keys;
      throw error;
    }
    keys.push(next);
    key = next;
  }
}

/** Undefined where there is none of that key. */
export function valueOf(map: number, key: Buffer, valueBytes: number): Buffer | undefined {
  const value = Buffer.alloc(valueBytes);
  try {
    checked('map_lookup', library().lookup(map, key, value));
    return value;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

const sockOps = 3;
const reach = { itself: 0, 'it and above': 1 };
const allowMulti = 2;
const mostPrograms = 64;

/** Numbers of the programs of type sock_ops that act in a control group, and whether it takes further ones beside its own. */
export function attachedTo(
  group: number,
  of: keyof typeof reach,
): { readonly ids: readonly number[]; readonly besideOthers: boolean } {
  const [flags, count, ids] = [[0], [mostPrograms], Buffer.alloc(4 * mostPrograms)];
  checked('prog_query', library().query(group, sockOps, reach[of], flags, ids, count));
  const at = Array.from({ length: count[0] ?? 0 }, (_, index) => ids.readUInt32LE(4 * index));
  return { ids: at, besideOthers: ((flags[0] ?? 0) & allowMulti) !== 0 };
}

/** `name` of `bpf_prog_info` (include/uapi/linux/bpf.h). */
const nameInInfo = { from: 64, to: 80 };

/** ENOENT where it has gone meanwhile. */
export function nameOfProgram(id: number): string {
  const fd = checked('prog_get_fd_by_id', library().programById(id));
  try {
    const info = Buffer.alloc(nameInInfo.to);
    checked('obj_get_info_by_fd', library().info(fd, info, [info.length]));
    const name = info.toString('latin1', nameInInfo.from);
    return name.slice(0, name.indexOf('\0'));
  } finally {
    close(fd);
  }
}
