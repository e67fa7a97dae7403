import { cloudPresets } from './cloud-presets.ts';
import { devicePresets } from './device-presets.ts';
import type { Preset } from './preset.ts';

const catalogue = { ...cloudPresets, ...devicePresets };

export type PresetName = keyof typeof catalogue;

/** Every preset by its name. Only defaults that were confirmed at their source are here. */
export const presets: Readonly<Record<PresetName, Preset>> = catalogue;
export const presetNames = Object.keys(catalogue) as [PresetName, ...PresetName[]];
