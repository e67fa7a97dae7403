import { createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';

/** What a server proves by that it is who it is called: all in PEM. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
  /** Whom to trust for it: the one that signed it comes first, and those of certificates that it follows may come after. */
  readonly authorities: readonly string[];
}

/** One that can be served by, with what it says. Times in milliseconds since 1970. */
export interface Pair extends KeyPair {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** Clocks differ: whoever is asked to trust it may be behind, by a time zone as well as by minutes. */
export const backdatedMs = 86_400_000;

/** Undefined where it is nothing that can be served by: it is no certificate, its key is another's, or too short, nobody signed it. */
export function readPair({ certificate, key, authorities }: KeyPair): Pair | undefined {
  try {
    const own = new X509Certificate(certificate);
    const signers = authorities.map((one) => new X509Certificate(one));
    const isSigned = signers.some((signer) => own.checkIssued(signer) && own.verify(signer.publicKey));
    if (!isSigned || !own.checkPrivateKey(createPrivateKey(key))) return undefined;
    // As its server would, which refuses what is too weak for it.
    createSecureContext({ cert: certificate, key });
    return {
      certificate,
      key,
      authorities,
      fromMs: Date.parse(own.validFrom),
      untilMs: Date.parse(own.validTo),
    };
  } catch {
    return undefined;
  }
}

/** Whether it is for a server of that name. */
export function isFor({ certificate }: Pair, host: string): boolean {
  return new X509Certificate(certificate).checkHost(host, { subject: 'never' }) !== undefined;
}

/** When it was made, as far as it says itself. */
export function madeAtMs({ fromMs }: Pair): number {
  return fromMs + backdatedMs;
}

const pemCertificate = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The certificates of a file of them, each in the same form however the file is laid out; what is none is left out. */
export function certificatesIn(pem: string): string[] {
  return (pem.match(pemCertificate) ?? []).flatMap((one) => {
    try {
      return [new X509Certificate(one).toString()];
    } catch {
      return [];
    }
  });
}

export function isValidAt(certificate: string, nowMs: number): boolean {
  return Date.parse(new X509Certificate(certificate).validTo) > nowMs;
}
