import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { parse } from 'yaml';

import { chart, helm } from './helm.ts';

/** What Helm tells who has installed the chart; only a release shows it, so it is rendered as a field of an object. */
export async function notesWith(args: readonly string[]): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'keepalive-notes-'));
  try {
    const copy = join(folder, 'keepalive-operator');
    cpSync(chart, copy, { recursive: true });
    const notes = readFileSync(join(copy, 'templates/NOTES.txt'), 'utf8');
    writeFileSync(join(copy, 'templates/_notes.tpl'), `{{- define "notes" }}${notes}{{ end }}`);
    writeFileSync(join(copy, 'templates/notes.yaml'), 'text: {{ include "notes" . | toJson }}\n');
    const options = ['--namespace', 'keepalive-system', '--kube-version', '1.37.0'];
    const shown = ['template', 'keepalive', copy, ...options, '--show-only', 'templates/notes.yaml'];
    const { text } = parse(await helm('Helm 4', [...shown, ...args])) as { readonly text: string };
    return text;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
