// Ahead of the other, which asks for it.
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';

import type { KeyPair } from './certificate.ts';
import { backdatedMs } from './certificate.ts';

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
