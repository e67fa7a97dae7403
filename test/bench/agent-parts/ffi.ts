import { dlopen } from 'node:ffi';

/** As many functions of the C library as the agent calls by koffi, all of one form. */
const names = [
  ...['setns', 'socket', 'getsockopt', 'setsockopt', 'getsockname', 'getpeername', 'connect', 'send', 'recv'],
  ...['syscall', 'flock', 'memfd_create', 'clock_getres', 'close'],
];
const { functions } = dlopen(
  null,
  Object.fromEntries(names.map((name) => [name, { return: 'i32', arguments: ['i32', 'i64'] } as const])),
);
const none = -1;
if (functions.close?.(none, 0n) !== none) throw new Error('close was not called');
