import { describe, expect, test } from '@jest/globals';

import { dnsLabel, hopTypes, idleTimeoutBounds, resolveHop } from '../../../src/api/hop.ts';
import { presetNames, presets } from '../../../src/api/presets.ts';

describe.each(presetNames)('preset %s', (name) => {
  const preset = presets[name];

  test('can stand for the name of a hop', () => {
    expect(name).toMatch(dnsLabel);
    expect(name.length).toBeLessThanOrEqual(63);
    expect(resolveHop({ preset: name })?.name).toBe(name);
  });

  test('has a timeout that a path may declare', () => {
    expect(Number.isInteger(preset.idleTimeoutSeconds)).toBe(true);
    expect(preset.idleTimeoutSeconds).toBeGreaterThanOrEqual(idleTimeoutBounds.min);
    expect(preset.idleTimeoutSeconds).toBeLessThanOrEqual(idleTimeoutBounds.max);
    expect(hopTypes).toContain(preset.type);
  });

  test('says what it is and where its number is from', () => {
    expect(preset.title).not.toBe('');
    if (preset.source.startsWith('http')) expect(new URL(preset.source).protocol).toBe('https:');
    else expect(preset.source.split(' ').length).toBeGreaterThan(2);
  });
});

test('no two presets have one title', () => {
  const titles = presetNames.map((name) => presets[name].title);
  expect(new Set(titles).size).toBe(titles.length);
});
