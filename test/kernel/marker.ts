/**
 * Loads the program from inside a control group, leaves that, and marks sockets, as the program itself does where
 * connections are counted. Prints by how many bytes the group's memory has grown by them.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { ConnectionProgramOptions } from '../../src/kernel/connection-program.ts';
import { ConnectionProgram } from '../../src/kernel/connection-program.ts';
import { openPinned, updateMap } from '../../src/kernel/libbpf.ts';
import { openInternetSocket } from '../../src/kernel/syscall.ts';

const [group = '', home = '', usageFile = '', count = '', options = ''] = process.argv.slice(2);
const enter = (folder: string) => {
  writeFileSync(join(folder, 'cgroup.procs'), '0');
};
const usage = () => Number(readFileSync(join(group, usageFile), 'utf8'));

enter(group);
const program = await ConnectionProgram.open(JSON.parse(options) as ConnectionProgramOptions);
enter(home);
const marks = openPinned(join(program.folder, 'marks'));
const sockets = Array.from({ length: Number(count) }, () => openInternetSocket('stream'));
const before = usage();
const [key, value] = [Buffer.alloc(4), Buffer.alloc(4)];
for (const socket of sockets) {
  key.writeInt32LE(socket);
  updateMap(marks, key, value);
}
process.stdout.write(String(usage() - before));
// The sockets go with it.
