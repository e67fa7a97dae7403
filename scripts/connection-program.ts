import { execFileSync } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const root = join(import.meta.dirname, '..');
const source = join(root, 'src/kernel/keepalive.bpf.c');
const licence = 'keepalive.bpf.LICENSE';
/** Debian keeps headers that are one architecture's own in a folder of its name. */
const machines: Readonly<Record<string, string>> = { x64: 'x86_64', arm64: 'aarch64' };

/**
 * Compiles what runs in the kernel: one object for all kernels and architectures, whose references to fields of the
 * kernel are resolved where it is loaded (CO-RE). Its licence, which is not the product's, goes wherever it goes.
 */
export function compileConnectionProgram(output: string): void {
  const headers = `/usr/include/${machines[process.arch] ?? process.arch}-linux-gnu`;
  try {
    execFileSync(
      'clang',
      [
        ...['-O2', '-g', '-target', 'bpfel', '-mcpu=v3', '-Wall', '-Wextra', '-Werror'],
        // Wherever the repository lies, the object is the same.
        ...[`-ffile-prefix-map=${root}=.`, '-fdebug-compilation-dir=.'],
        ...['-I', headers, '-c', source, '-o', output],
      ],
      { stdio: ['ignore', 'inherit', 'pipe'], encoding: 'utf8' },
    );
  } catch (error) {
    const { code, stderr } = error as NodeJS.ErrnoException & { readonly stderr?: string };
    const remedy = 'it takes clang and the headers of libbpf: apt-get install clang libbpf-dev';
    throw new Error(
      `keepalive.bpf.c was not compiled (${remedy}): ${code === 'ENOENT' ? 'there is no clang' : stderr}`,
      { cause: error },
    );
  }
  copyFileSync(join(root, 'src/kernel', licence), join(dirname(output), licence));
}
