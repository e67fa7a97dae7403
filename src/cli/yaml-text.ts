import type { Document, Tags } from 'yaml';
import { LineCounter, parseAllDocuments, Schema, stringify } from 'yaml';

/** A text of several documents with the places of all that is in it. */
export interface YamlText {
  readonly documents: readonly Document.Parsed[];
  readonly lines: LineCounter;
}

/**
 * As kubectl reads it (sigs.k8s.io/yaml over go-yaml 2): YAML 1.1 with its yes and no, octal numbers and merge keys, but
 * without its dates, its numbers to the base of sixty, and y and n for yes and no.
 */
function tags(of: Tags): Tags {
  return of.flatMap((tag): Tags => {
    if (typeof tag !== 'object') return [tag];
    if (tag.tag.endsWith(':timestamp') || ('format' in tag && tag.format === 'TIME')) return [];
    if (!tag.tag.endsWith(':bool') || !('test' in tag) || tag.test === undefined) return [tag];
    return [{ ...tag, test: new RegExp(tag.test.source.replace('Y|y|', '').replace('N|n|', '')) }];
  });
}

/** One for all: to make it takes as long as to read a small manifest. */
const schema = new Schema({ schema: 'yaml-1.1', merge: true, customTags: tags, resolveKnownTags: false });

export function parseYaml(text: string): YamlText {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, {
    version: '1.1',
    schema,
    lineCounter: lines,
    prettyErrors: false,
    logLevel: 'silent',
  });
  return { documents: Array.isArray(documents) ? documents : [], lines };
}

export function yamlOf(value: unknown): string {
  return stringify(value, { lineWidth: 0 });
}
