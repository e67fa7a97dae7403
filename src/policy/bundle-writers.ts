/**
 * By which annotations of a configuration of webhooks other products write whom API servers are to trust there, over what the
 * controller writes. The first of each is the one to be named where none was read.
 */
export const bundleWriters = [
  {
    by: 'cert-manager',
    annotations: [
      'cert-manager.io/inject-ca-from',
      'cert-manager.io/inject-ca-from-secret',
      'cert-manager.io/inject-apiserver-ca',
    ],
  },
  {
    by: 'service-ca of OpenShift',
    annotations: ['service.beta.openshift.io/inject-cabundle', 'service.alpha.openshift.io/inject-cabundle'],
  },
] as const;

export interface BundleWriter {
  readonly by: string;
  readonly annotation: string;
}

/** Who is asked to by the annotations of an object. */
export function bundleWritersIn(annotations: Readonly<Record<string, string>> = {}): BundleWriter[] {
  return bundleWriters.flatMap((writer) =>
    writer.annotations
      .filter((annotation) => Object.hasOwn(annotations, annotation))
      .map((annotation) => ({ by: writer.by, annotation })),
  );
}
