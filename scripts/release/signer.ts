import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { runOrThrow } from '../../test/cluster/command.ts';
import { goTool } from '../../test/support/go-tool.ts';

export const cosignProgram = () => goTool('cosign', 'github.com/sigstore/cosign/v3/cmd/cosign');

/**
 * No certificate, no transparency log, no time stamp: a signature says that the key was there, and asks nobody outside.
 * https://github.com/sigstore/protobuf-specs has both kinds.
 */
const services = { mediaType: 'application/vnd.dev.sigstore.signingconfig.v0.2+json' };
const roots = { mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1' };

/** Says by one private key who made something, as bundles of Sigstore that cosign verifies. */
export class Signer {
  readonly #key: string;
  readonly #cosign: string;
  readonly #folder: string;
  readonly #offline: readonly string[];
  readonly #secrets: NodeJS.ProcessEnv;

  private constructor(key: string, secrets: NodeJS.ProcessEnv, cosign: string) {
    this.#key = key;
    this.#secrets = secrets;
    this.#cosign = cosign;
    this.#folder = mkdtempSync(join(tmpdir(), 'keepalive-signer-'));
    this.#offline = [
      `--signing-config=${this.#file('services', services)}`,
      `--trusted-root=${this.#file('roots', roots)}`,
    ];
  }

  /** `key`: a file, whose password is COSIGN_PASSWORD of `secrets`, or what else cosign takes, as a key management. */
  static async open(key: string, secrets: NodeJS.ProcessEnv): Promise<Signer> {
    return new Signer(key, secrets, await cosignProgram());
  }

  /** What those need who verify, as PEM. Throws where the key cannot be used, before anything was pushed. */
  publicKey(): Promise<string> {
    return this.#run('public-key', '--key', this.#key);
  }

  /** Of an image or another artifact in a registry, as REGISTRY/NAME@DIGEST, and of what it names. */
  async sign(artifact: string): Promise<void> {
    await this.#run('sign', '--recursive', ...this.#withKey(), artifact);
  }

  /** Says of an image what it is made of, by a file of SPDX. */
  async attest(image: string, sbom: string): Promise<void> {
    await this.#run('attest', '--type=spdxjson', `--predicate=${sbom}`, ...this.#withKey(), image);
  }

  async signFile(file: string): Promise<void> {
    await this.#run('sign-blob', `--bundle=${file}.sigstore.json`, ...this.#withKey(), file);
  }

  close(): void {
    rmSync(this.#folder, { recursive: true });
  }

  #withKey(): readonly string[] {
    return [`--key=${this.#key}`, '--yes', ...this.#offline];
  }

  #file(name: string, content: object): string {
    const path = join(this.#folder, `${name}.json`);
    writeFileSync(path, JSON.stringify(content));
    return path;
  }

  #run(...args: readonly string[]): Promise<string> {
    const env = { ...process.env, ...this.#secrets };
    return runOrThrow([this.#cosign, ...args], { env, called: `cosign ${args[0]}` });
  }
}
