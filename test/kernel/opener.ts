/** Opens the program as an agent does, with the options of its argument. */
import type { ConnectionProgramOptions } from '../../src/kernel/connection-program.ts';
import { ConnectionProgram } from '../../src/kernel/connection-program.ts';

const [options = '{}'] = process.argv.slice(2);
(await ConnectionProgram.open(JSON.parse(options) as ConnectionProgramOptions)).close();
