import type { Value } from '../../pickle/values';
import type { CatBoostModel } from './model';

/** The version of CatBoost that trained it (`catboost_version_info`). */
export function catboostVersion({ info }: CatBoostModel): string | undefined {
  return /\d+\.\d+(\.\d+)?/.exec(info.get('catboost_version_info') ?? '')?.[0];
}

/** Names of all columns; without names the columns are called by their numbers, or not at all. */
export function catboostNames({ columnNames }: CatBoostModel): readonly string[] | undefined {
  return columnNames.length > 0 && columnNames.every((name, i) => name !== '' && name !== String(i))
    ? columnNames
    : undefined;
}

/** `class_params`: `{"class_names": […], "class_label_type": "Integer" | "String" | …}`; `undefined` where labels are numbers from 0. */
export function catboostClasses({ info }: CatBoostModel): Value[] | undefined {
  try {
    const { class_names: names, class_label_type: type } = JSON.parse(info.get('class_params') ?? '{}') as {
      class_names?: unknown;
      class_label_type?: unknown;
    };
    if (Array.isArray(names) && names.length > 0) return type === 'String' ? names.map(String) : (names as Value[]);
  } catch {
    // Damaged information: the labels are then numbers.
  }
  return undefined;
}

/** The loss that it was trained with, without its options: `{"loss_function": {"type": "Logloss", …}}` of the training parameters. */
export function catboostLoss({ info }: CatBoostModel): string | undefined {
  try {
    const parsed = JSON.parse(info.get('params') ?? '{}') as { loss_function?: { type?: unknown } };
    return typeof parsed.loss_function?.type === 'string' ? parsed.loss_function.type : undefined;
  } catch {
    return undefined;
  }
}
