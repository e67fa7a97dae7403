/**
 * Kubernetes takes so many bytes of annotations, keys and values of all of them together, and refuses an object with more
 * (k8s.io/apimachinery, pkg/api/validation/objectmeta.go, TotalAnnotationSizeLimitB).
 */
export const annotationBytes = 256 * 1024;

/** Whether an object with these annotations is taken: one that is near the limit has no room for a note. */
export function hasRoom(annotations: Readonly<Record<string, string>>): boolean {
  const sizes = Object.entries(annotations).map(
    ([key, value]) => Buffer.byteLength(key) + Buffer.byteLength(value),
  );
  return sizes.reduce((sum, size) => sum + size, 0) <= annotationBytes;
}
