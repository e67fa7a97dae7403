/** The process in which the program is loaded: the other end of connection-loader.ts, which says why. */
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { LoadAnswer, LoadOrder, LoadRequest } from './connection-loader.ts';
import type { Extent, Loaded, Pin } from './connection-pins.ts';
import {
  DisturbedError,
  extents,
  folderOf,
  groupAt,
  isWhole,
  maps,
  overMap,
  removeFolder,
  undisturbed,
} from './connection-pins.ts';
import { joinFirstProcess } from './control-group.ts';
import { withExcluding } from './group-programs.ts';
import { BpfObject } from './libbpf.ts';
import { endWithStarter } from './syscall.ts';

const request = JSON.parse(process.argv[2] ?? '{}') as LoadOrder;
endWithStarter();
// It may have ended before that was said.
if (process.ppid !== request.starter) process.exit();
leaveContainer(request);
process.stdout.write(JSON.stringify(answerTo(request)));

function leaveContainer({ procRoot }: LoadRequest): void {
  try {
    joinFirstProcess(procRoot, process.pid);
  } catch {
    // Where that may not be done it is loaded all the same: connections matter more than who is charged.
  }
}

function answerTo(asked: LoadRequest): LoadAnswer {
  try {
    return { loaded: load(asked, ...extents) };
  } catch (error) {
    const { message, code, syscall } = error as NodeJS.ErrnoException;
    return { fault: { message, code, syscall } };
  }
}

/** What was refused for a passing reason is tried by the next agent again. */
function load(asked: LoadRequest, extent: Extent, ...smaller: readonly Extent[]): Loaded {
  const folder = folderOf(asked.base, extent);
  try {
    undisturbed(() => {
      if (!isWhole(folder, extent, groupAt(asked.groupFolder))) attempt(asked, folder, extent);
    });
    return { folder, extent };
  } catch (error) {
    const [next, ...rest] = smaller;
    if (next === undefined || error instanceof DisturbedError) throw error;
    return { ...load(asked, next, ...rest), countless: (error as Error).message };
  }
}

function attempt({ objectFile, groupFolder }: LoadRequest, folder: string, { iterators }: Extent): void {
  removeFolder(folder);
  const object = new BpfObject(readFileSync(objectFile));
  const at = (pin: Pin) => join(folder, pin);
  try {
    for (const name of overMap.keys()) if (!iterators.includes(name)) object.leaveOut(name);
    object.load();
    mkdirSync(folder, { recursive: true });
    for (const map of maps) object.pinMap(map, at(map));
    for (const name of iterators) object.pinIterator(name, at(name), overMap.get(name));
    const group = openSync(groupFolder, 'r');
    try {
      // Last: what is whole is attached, and what was interrupted before is done anew.
      object.pinToGroup('born', group, at('born'));
    } catch (error) {
      throw withExcluding(error as NodeJS.ErrnoException, group);
    } finally {
      closeSync(group);
    }
  } catch (error) {
    removeFolder(folder);
    throw error;
  } finally {
    object.close();
  }
}
