import { FollowedFiles, type FollowOptions } from '../util/followed-files.ts';
import { endOf, readCertificate, type Certificate, type CertificatePaths } from './certificate.ts';

export interface FollowCertificateOptions extends Pick<FollowOptions<Certificate>, 'onChange' | 'files' | 'clock'> {
  readonly paths: CertificatePaths;
  readonly log: FollowOptions<Certificate>['log'] & { warn(fields: object, message: string): void };
}

const warnBeforeMs = 14 * 86_400_000;

/** The certificate as its files are now. @throws CertificateError when they are bad at the start */
export function followCertificate({ paths, ...options }: FollowCertificateOptions): FollowedFiles<Certificate> {
  const { log, onChange } = options;
  const fields = (certificate: Certificate) => ({ path: paths.cert, ends: new Date(endOf(certificate)).toISOString() });
  const warnOfEnd = (certificate: Certificate): void => {
    if (endOf(certificate) - Date.now() < warnBeforeMs) log.warn(fields(certificate), 'certificate ends soon, or has');
  };
  const followed = new FollowedFiles({
    ...options,
    what: 'certificate',
    paths: [paths.cert, paths.key, paths.clientCa].filter((path) => path !== undefined),
    read: (files) => readCertificate(paths, files),
    onChange: (certificate) => {
      log.info(fields(certificate), 'certificate changed');
      warnOfEnd(certificate);
      onChange(certificate);
    },
  });
  warnOfEnd(followed.current);
  return followed;
}
