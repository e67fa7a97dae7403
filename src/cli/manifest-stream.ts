import { jsonIn } from './yaml-text.ts';

/**
 * Of several texts one stream that kubectl takes; one text stays as it is. Of JSON behind JSON kubectl takes the first and says
 * nothing of the others where the stream is YAML, so each is a document of its own; and kubectl before 1.33 takes a stream for JSON to its
 * end, and no `---`, where it starts with a brace.
 */
export function streamOf(texts: readonly string[]): string {
  const [first] = texts;
  if (texts.length === 1 && first !== undefined) return first;
  const parts = texts.flatMap((text) => jsonIn(text)?.map((one) => one.text.trimEnd()) ?? [text]);
  const start = /^\s*\{/.test(first ?? '') ? '---\n' : '';
  return start + parts.map((text) => (text.endsWith('\n') || text === '' ? text : `${text}\n`)).join('---\n');
}
