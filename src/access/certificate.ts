import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { WatchedFiles } from '../util/followed-files.ts';

/** What an HTTPS server shows its clients, as PEM texts. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
  /** Authorities of which clients must have a certificate; none is asked for when absent. */
  readonly ca?: string;
}

export interface CertificatePaths {
  readonly cert: string;
  readonly key: string;
  readonly clientCa?: string | undefined;
}

/** Thrown for files that a server cannot use; names the setting, the file and what to do. */
export class CertificateError extends Error {
  override readonly name = 'CertificateError';
}

/** Reads the files and checks that they belong together. @throws CertificateError */
export function readCertificate(paths: CertificatePaths, { read }: Pick<WatchedFiles, 'read'>): Certificate {
  const readPem = (setting: string, path: string): string => {
    try {
      return read(path);
    } catch (error) {
      throw new CertificateError(`${setting}: expected a readable file at ${path}: ${(error as Error).message}`);
    }
  };
  const cert = readPem('EMBEDDINGS_TLS_CERT', paths.cert);
  const key = readPem('EMBEDDINGS_TLS_KEY', paths.key);
  const [own] = parseCertificates('EMBEDDINGS_TLS_CERT', paths.cert, cert);
  if (own?.checkPrivateKey(parseKey(paths.key, key)) !== true)
    throw new CertificateError(
      `EMBEDDINGS_TLS_KEY: expected the private key of the first certificate in ${paths.cert}, got another one in ${paths.key}`,
    );
  if (paths.clientCa === undefined) return { cert, key };
  const ca = readPem('EMBEDDINGS_TLS_CLIENT_CA', paths.clientCa);
  parseCertificates('EMBEDDINGS_TLS_CLIENT_CA', paths.clientCa, ca);
  return { cert, key, ca };
}

/** When the server's own certificate ends, in ms. */
export function endOf({ cert }: Certificate): number {
  return Date.parse(new X509Certificate(cert).validTo);
}

function parseCertificates(setting: string, path: string, pem: string): readonly X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0)
    throw new CertificateError(
      `${setting}: expected "-----BEGIN CERTIFICATE-----" and what follows it (PEM) in ${path}, got none`,
    );
  return blocks.map((block, index) => {
    try {
      return new X509Certificate(block);
    } catch {
      throw new CertificateError(
        `${setting}: expected certificates in ${path}, got one that cannot be read: number ${index + 1} of ${blocks.length}`,
      );
    }
  });
}

/** The words of OpenSSL are left out: they would help nobody, and nothing of a key may come near a log. */
function parseKey(path: string, pem: string): ReturnType<typeof createPrivateKey> {
  try {
    return createPrivateKey(pem);
  } catch {
    throw new CertificateError(
      `EMBEDDINGS_TLS_KEY: expected a private key in PEM without a passphrase in ${path}, got something else`,
    );
  }
}
