import { createPrivateKey, X509Certificate } from 'node:crypto';

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

/** Clocks differ: whoever is asked to trust it may be behind. */
const backdatedMs = 300_000;

export interface Order {
  /** The name by which the server is called. */
  readonly host: string;
  readonly now: Date;
  readonly lifeMs: number;
}

/**
 * A certificate and an authority that signs it and nothing else ever: its key is forgotten here, so that nobody can sign
 * by it.
 */
export async function issue({ host, now, lifeMs }: Order): Promise<KeyPair> {
  // Only who makes one loads these: a polyfill that they ask for first, and 150 KiB.
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const validity = {
    notBefore: new Date(now.getTime() - backdatedMs),
    notAfter: new Date(now.getTime() + lifeMs),
  };
  const make = () => crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const [authorityKeys, keys] = await Promise.all([make(), make()]);
  const name = `CN=${host} authority ${now.toISOString()}`;
  const authority = await x509.X509CertificateGenerator.createSelfSigned({
    name,
    keys: authorityKeys,
    signingAlgorithm: algorithm,
    ...validity,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      await x509.SubjectKeyIdentifierExtension.create(authorityKeys.publicKey),
    ],
  });
  const certificate = await x509.X509CertificateGenerator.create({
    // The common name is short; who is called what stands in the alternative names.
    subject: 'CN=keepalive webhook',
    issuer: authority.subject,
    publicKey: keys.publicKey,
    signingKey: authorityKeys.privateKey,
    signingAlgorithm: algorithm,
    ...validity,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: host }]),
      await x509.AuthorityKeyIdentifierExtension.create(authorityKeys.publicKey),
    ],
  });
  const key = await crypto.subtle.exportKey('pkcs8', keys.privateKey);
  return {
    certificate: `${certificate.toString('pem')}\n`,
    key: x509.PemConverter.encode(key, 'PRIVATE KEY'),
    authorities: [`${authority.toString('pem')}\n`],
  };
}

/** Undefined where it is nothing that can be served by: it is no certificate, its key is another's, nobody signed it. */
export function readPair({ certificate, key, authorities }: KeyPair): Pair | undefined {
  try {
    const own = new X509Certificate(certificate);
    const signers = authorities.map((one) => new X509Certificate(one));
    const isSigned = signers.some((signer) => own.checkIssued(signer) && own.verify(signer.publicKey));
    if (!isSigned || !own.checkPrivateKey(createPrivateKey(key))) return undefined;
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
