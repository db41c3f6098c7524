import type { LightGbmHead } from './model';

/**
 * Training parameters at the end of a model's text, each with the versions of LightGBM that were the first to write it, newest first.
 * Measured with one release of each minor version from 2.2 to 4.7.
 */
const FIRST_WRITTEN: readonly (readonly [parameter: string, versions: string])[] = [
  ['gpu_device_id_list', '4.7 or later'],
  ['bagging_by_query', '4.6'],
  ['early_stopping_min_delta', '4.4 or 4.5'],
  ['data_sample_strategy', '4.2 or 4.3'],
  ['lambdarank_position_bias_regularization', '4.1'],
  ['parser_config_file', '4.0'],
  ['precise_float_parser', '3.3'],
  ['linear_tree', '3.2'],
  ['deterministic', '3.1'],
  ['path_smooth', '3.0'],
  ['first_metric_only', '2.3'],
];

/** What the version of the text form tells, where there are no parameters. */
const BY_FORM: Readonly<Record<string, string>> = { v2: 'before 2.3', v3: '2.3 to 3.3', v4: '4.0 or later' };

/** The version of LightGBM that wrote a model, as near as its text tells: the library's number is not in it. */
export function lightgbmVersion({ version, parameters }: LightGbmHead): string | undefined {
  const written = FIRST_WRITTEN.find(([parameter]) => parameters.has(parameter));
  return written?.[1] ?? BY_FORM[version];
}

/** Names of the columns; LightGBM makes up names of its own for matrices. */
export function lightgbmNames({ featureNames }: LightGbmHead): readonly string[] | undefined {
  return featureNames.every((name, i) => name === `Column_${i}`) ? undefined : featureNames;
}
