/** FNV-1a of a text, by its UTF-16 units, in 32 bits with a sign: for telling things apart, never for keeping anything from anybody. */
export function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash;
}

/** As the API can hold such a number, or a sum of some that wrapped: without its sign. */
export function asDigest(hash: number): number {
  return hash & 0x7fffffff;
}
