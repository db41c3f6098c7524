import { ModelError } from '../../bytes/errors';
import { asText, type Instance, stateDict, type Value } from '../../pickle/values';
import { type CatBoostModel, parseCatBoost } from '../catboost/model';
import { type LightGbmHead, type LightGbmModel, parseLightGbm, parseLightGbmHead } from '../lightgbm/model';
import { asBytes } from '../numpy/pickled';
import { type Booster, parseBooster } from '../xgboost/model';

/** Models of boosting libraries inside pickled objects: wrappers keep a `Booster`, which keeps a model file. Each is read once. */
class Reader<Model extends object> {
  private readonly known = new WeakMap<Instance, Model | ModelError | null>();

  constructor(private readonly parse: (holder: Instance) => Model | undefined) {}

  /** @throws ModelError for a model that is damaged; undefined where none was fitted. */
  read(holder: Instance): Model | undefined {
    let model = this.known.get(holder);
    if (model === undefined) {
      model = this.attempt(holder);
      this.known.set(holder, model);
    }
    if (model instanceof ModelError) throw model;
    return model ?? undefined;
  }

  private attempt(holder: Instance): Model | ModelError | null {
    try {
      return this.parse(holder) ?? null;
    } catch (error) {
      if (error instanceof ModelError) return error;
      throw error;
    }
  }
}

const xgboost = new Reader((holder) => {
  const bytes = asBytes(field(holder, 'handle'));
  return bytes && parseBooster(bytes.bytes());
});

const lightgbm = new Reader((holder) => {
  const text = lightgbmText(holder);
  return text === undefined ? undefined : parseLightGbm(text);
});

const lightgbmHead = new Reader((holder) => {
  const text = lightgbmText(holder);
  return text === undefined ? undefined : parseLightGbmHead(text);
});

/** Called `handle` before 4.0. */
function lightgbmText(holder: Instance): string | undefined {
  return asText(field(holder, '_handle') ?? field(holder, 'handle'));
}

const catboost = new Reader((holder) => {
  const bytes = asBytes(field(holder, '__model'));
  return bytes && parseCatBoost(bytes.bytes());
});

/** The xgboost model of a wrapper or a `Booster`. @throws ModelError if it is damaged. */
export function xgboostIn(estimator: Instance): Booster | undefined {
  return xgboost.read(boosterObject(estimator));
}

/** The LightGBM model of a wrapper or a `Booster`. @throws ModelError if it is damaged. */
export function lightgbmIn(estimator: Instance): LightGbmModel | undefined {
  return lightgbm.read(boosterObject(estimator));
}

/** What a LightGBM model says besides its trees: reading those takes long. @throws ModelError if it is damaged. */
export function lightgbmHeadIn(estimator: Instance): LightGbmHead | undefined {
  return lightgbmHead.read(boosterObject(estimator));
}

/** The CatBoost model of an estimator. @throws ModelError if it is damaged. */
export function catboostIn(estimator: Instance): CatBoostModel | undefined {
  return catboost.read(estimator);
}

/** The `Booster` that a wrapper holds, or the object itself. */
export function boosterObject(estimator: Instance): Instance {
  const inner = stateDict(estimator)?.get('_Booster');
  return stateDict(inner as Value) ? (inner as Instance) : estimator;
}

function field(holder: Instance, name: string): Value | undefined {
  return stateDict(holder)?.get(name) ?? undefined;
}
