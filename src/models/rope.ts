import type { RotaryFrequencies } from '../graph/layers/rotary.ts';
import { quote } from '../store/file-reader.ts';
import { ConfigFieldError, ConfigFields } from './config-fields.ts';

/** How a config.json describes rotary positions, in either dialect. */
export interface RopeConfig {
  readonly theta: number;
  /** Columns of a head that turn. */
  readonly size: number;
  /** `max_position_embeddings`; the reach of most scalings counts from it. */
  readonly maxPositions: number;
  /** `rope_scaling` or what stands beside `rope_theta` in `rope_parameters`; undefined for none. */
  readonly scaling: unknown;
}

/** The scalings of transformers' `modeling_rope_utils` that do not depend on the length of a sequence. */
const scalings: Readonly<Record<string, (config: RopeConfig, scaling: ConfigFields) => RotaryFrequencies>> = {
  default: (config) => plain(frequencies(config)),
  linear: (config, scaling) => {
    const factor = scaling.positive('factor');
    return plain(frequencies(config).map((frequency) => frequency / factor));
  },
  dynamic: (config) => plain(frequencies(config)), // stretches beyond maxPositions only, where no sequence gets
  llama3,
  yarn,
};

/** The columns of a head, which turn in pairs. @throws ConfigFieldError for an odd number */
export function pairedSize(size: number): number {
  if (size % 2 !== 0)
    throw new ConfigFieldError(`Expected heads of an even number of columns in config.json, got ${size}.`);
  return size;
}

export interface RopeFallbacks {
  readonly size: number;
  readonly maxPositions: number;
  readonly theta: number;
  /** Key of `rope_parameters` where each kind of layer has its own. */
  readonly layerType?: string;
  /** What older files call the `rope_theta` of this kind of layer. */
  readonly thetaField?: string;
}

/** Reads `rope_theta` and `rope_scaling`, or `rope_parameters` of newer files, where `layerType` may have its own. */
export function readRope(
  fields: ConfigFields,
  { size, maxPositions, theta, layerType, thetaField = 'rope_theta' }: RopeFallbacks,
): RopeConfig {
  const parameters = fields.nested('rope_parameters');
  const own = (layerType === undefined ? undefined : parameters?.nested(layerType)) ?? parameters;
  return {
    size,
    maxPositions,
    theta: own?.optionalPositive('rope_theta') ?? fields.positive(thetaField, theta),
    scaling: own === undefined ? fields.value('rope_scaling') : own.object,
  };
}

/** @throws ConfigFieldError for a scaling that is not known or lacks a field */
export function rotaryFrequencies(config: RopeConfig): RotaryFrequencies {
  const { scaling } = config;
  if (scaling === undefined || scaling === null) return plain(frequencies(config));
  const fields = new ConfigFields(scaling, 'rope_scaling of config.json');
  const kind = fields.optionalText('rope_type') ?? fields.optionalText('type') ?? 'default';
  const build = Object.hasOwn(scalings, kind) ? scalings[kind] : undefined;
  if (build === undefined)
    throw new ConfigFieldError(
      `Expected rope_scaling of config.json to be of type ${Object.keys(scalings).join(', ')}, got ${quote(kind)}.`,
    );
  return build(config, fields);
}

const maxColumns = 65_536; // published heads have up to 256; no weight has been asked for yet

/** `theta^(-2j / size)` @throws ConfigFieldError for a size that no head has */
export function frequencies({ theta, size }: Pick<RopeConfig, 'theta' | 'size'>): number[] {
  if (size > maxColumns)
    throw new ConfigFieldError(`Expected heads of at most ${maxColumns} columns in config.json, got ${size}.`);
  return Array.from({ length: size / 2 }, (_, j) => theta ** ((-2 * j) / size));
}

function plain(inverseFrequencies: readonly number[]): RotaryFrequencies {
  return { inverseFrequencies, attentionScale: 1 };
}

/** Llama 3.1: long wavelengths are stretched, short ones kept, those between blended. */
function llama3(config: RopeConfig, scaling: ConfigFields): RotaryFrequencies {
  const factor = scaling.positive('factor');
  const low = scaling.positive('low_freq_factor');
  const high = scaling.positive('high_freq_factor');
  const trained = scaling.positive('original_max_position_embeddings');
  return plain(
    frequencies(config).map((frequency) => {
      const turns = (trained * frequency) / (2 * Math.PI); // over the length it was trained on
      if (turns < low) return frequency / factor;
      if (turns > high) return frequency;
      const smooth = (turns - low) / (high - low);
      return ((1 - smooth) * frequency) / factor + smooth * frequency;
    }),
  );
}

/** YaRN (Peng et al. 2023): a ramp over the columns between interpolated and kept frequencies. */
function yarn(config: RopeConfig, scaling: ConfigFields): RotaryFrequencies {
  const { theta, size, maxPositions } = config;
  const trained = scaling.positive('original_max_position_embeddings', maxPositions);
  const factor = scaling.positive('factor');
  const columnOfTurns = (turns: number) => (size * Math.log(trained / (turns * 2 * Math.PI))) / (2 * Math.log(theta));
  const isTruncated = scaling.boolean('truncate', true);
  const [from, to] = [
    columnOfTurns(scaling.positive('beta_fast', 32)),
    columnOfTurns(scaling.positive('beta_slow', 1)),
  ];
  const low = Math.max(isTruncated ? Math.floor(from) : from, 0);
  const high = Math.min(isTruncated ? Math.ceil(to) : to, size - 1);
  const span = low === high ? 0.001 : high - low; // transformers' guard against dividing by zero
  const inverseFrequencies = frequencies(config).map((frequency, j) => {
    const kept = 1 - Math.min(1, Math.max(0, (j - low) / span));
    return (frequency / factor) * (1 - kept) + frequency * kept;
  });
  return { inverseFrequencies, attentionScale: yarnAttentionScale(scaling, factor) };
}

function yarnAttentionScale(scaling: ConfigFields, factor: number): number {
  const given = scaling.optionalPositive('attention_factor');
  if (given !== undefined) return given;
  const scaleOf = (mscale: number) => (factor <= 1 ? 1 : 0.1 * mscale * Math.log(factor) + 1);
  const mscale = scaling.optionalPositive('mscale');
  const mscaleAll = scaling.optionalPositive('mscale_all_dim');
  return mscale !== undefined && mscaleAll !== undefined ? scaleOf(mscale) / scaleOf(mscaleAll) : scaleOf(1);
}
