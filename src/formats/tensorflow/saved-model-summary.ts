import { counted } from '../../model/counted';
import type { Fact, Parameter, Summary } from '../../model/model';
import { isAutomaticName } from '../keras/layer-config';
import type { SavedModelModel } from './saved-model';
import { totalsOf } from './totals';

/** What a summary says about: the parts of a SavedModel that are read before it. */
export type DescribedSavedModel = Pick<
  SavedModelModel,
  | 'input'
  | 'metaGraphs'
  | 'meta'
  | 'bundle'
  | 'callables'
  | 'kerasObjects'
  | 'table'
  | 'parameters'
  | 'signatures'
  | 'root'
>;

/** Keras 3 exports track all variables a second time under a name of their own. */
function isKeras3(model: Pick<DescribedSavedModel, 'meta'>): boolean {
  return model.meta.objects.child(0, '_all_variables') !== undefined;
}

export function rootKind(model: Pick<DescribedSavedModel, 'kerasObjects' | 'meta'>): string {
  const object = model.kerasObjects.get(0);
  if (object?.className) return object.className;
  if (isKeras3(model)) return 'Keras model';
  const identifier = model.meta.objects.identifier(0);
  if (identifier.startsWith('_tf_keras')) return identifier === '_tf_keras_sequential' ? 'Sequential' : 'Model';
  if (model.meta.objects.size > 0) return 'tf.Module';
  return 'Graph';
}

/** Title, producer and facts. @param isText the file is `saved_model.pbtxt` */
export function summariseSavedModel(model: DescribedSavedModel, isText: boolean, isKeras: boolean): Summary {
  const { info } = model.meta;
  const root = model.kerasObjects.get(0);
  const layers = model.root.children.filter(
    (c) => c.kind !== 'Optimizer' && c.kind !== 'Metrics' && c.kind !== 'State',
  ).length;
  const facts: Fact[] = [];
  const fact = (label: string, value: string | undefined, note?: string): void => {
    if (value) facts.push(note ? { label, value, note } : { label, value });
  };
  const version = info.tensorflowVersion ?? '';
  fact('TensorFlow', version);
  const keras = root?.kerasVersion ?? [...model.kerasObjects.values()].find((o) => o.kerasVersion)?.kerasVersion;
  fact('Keras', keras ?? (isKeras3(model) ? '3' : undefined), keras ? undefined : 'known by the shape of the export');
  fact('Tags', model.metaGraphs.map((g) => g.tags.join(', ') || '(none)').join('; '));
  if (model.metaGraphs.length > 1)
    fact('Meta graphs', `${model.metaGraphs.length}, shown: ${model.meta.tags.join(', ') || '(no tags)'}`);
  fact(
    'Signatures',
    model.signatures
      .map((s) => s.name)
      .slice(0, 12)
      .join(', '),
    model.callables.length > 0 ? 'functions of the object graph; the file has no signatures' : undefined,
  );
  if (isText) fact('Encoding', 'text (saved_model.pbtxt)');
  const roles = { trainable: 0, frozen: 0, other: 0 };
  for (const p of model.parameters) {
    if (p.kind === 'attribute') roles.other += p.count;
    else if (p.requiresGrad === false) roles.frozen += p.count;
    else roles.trainable += p.count;
  }
  if (model.parameters.length > 0) {
    fact('Trainable parameters', String(roles.trainable));
    fact('Non-trainable parameters', String(roles.frozen));
    if (roles.other > 0) fact('Optimizer and other state', `${roles.other} elements`);
  }
  const copies = model.table?.variables.filter((v) => v.copyOf).length ?? 0;
  if (copies > 0)
    fact('Equal copies', `${copies} variables`, 'Keras 3 stores every variable twice; each is shown and counted once');
  fact(
    'Weights',
    model.bundle
      ? model.bundle.hasData
        ? undefined
        : 'the data files are not there: structure only'
      : model.parameters.length > 0 || model.input.neighbours('variables').length > 0
        ? 'no variables/ folder: structure only'
        : 'none stored',
  );
  const assets = model.meta.assets.map((a) => a.filename ?? '').filter((name) => name !== '');
  if (assets.length > 0) fact('Assets', assets.slice(0, 12).join(', '));
  // Some versions wrote the text of a Python bytes object.
  const build = (info.tensorflowGitVersion ?? '').replace(/^b'(.*)'$/, '$1');
  if (build !== version && build !== 'unknown') fact('Build', build);
  return {
    ...titles(model, layers, isKeras),
    producer:
      isKeras && keras ? { name: 'Keras', version: keras } : { name: 'TensorFlow', ...(version ? { version } : {}) },
    facts,
    totals: totalsOf(model.parameters),
  };
}

function titles(model: DescribedSavedModel, layers: number, isKeras: boolean): { title: string; subtitle?: string } {
  const object = model.kerasObjects.get(0);
  const calls = counted(model.signatures.length, model.callables.length > 0 ? 'function' : 'signature');
  if (object?.className) {
    const named = object.name !== '' && !isAutomaticName(object.name, object.className);
    return {
      title: named ? `${object.name} (${object.className})` : object.className,
      subtitle: `Keras model, ${counted(layers, 'layer')}, ${calls}`,
    };
  }
  if (isKeras3(model)) return { title: 'Keras model', subtitle: `exported by Keras 3, ${calls}` };
  if (isKeras) return { title: model.root.kind, subtitle: `Keras model, ${counted(layers, 'layer')}, ${calls}` };
  if (model.input.neighbour('tfhub_module.pb'))
    return { title: named('TF-Hub module', mainScope(model)), subtitle: calls };
  if (model.meta.objects.size > 0)
    return {
      title: 'TensorFlow module',
      subtitle: `tf.Module, ${counted(model.parameters.length, 'variable')}, ${calls}`,
    };
  const methods = [...model.meta.signatures.values()].map((s) => s.methodName ?? '');
  const task = methods.some((m) => m.endsWith('/classify'))
    ? 'classifier'
    : methods.some((m) => m.endsWith('/regress'))
      ? 'regressor'
      : undefined;
  const subtitle = `${counted(model.parameters.length, 'variable')}, ${calls}`;
  if (task) return { title: named(`TensorFlow ${task}`, mainScope(model)), subtitle: `Estimator export, ${subtitle}` };
  return {
    title: named('TensorFlow graph', mainScope(model)),
    subtitle: `SavedModel of TensorFlow 1 style, ${subtitle}`,
  };
}

/** The scope that holds most weights, such as `InceptionV3`: the nearest to a name that these files have. */
function mainScope(model: DescribedSavedModel): string | undefined {
  const weights = new Map<string, number>();
  let total = 0;
  const add = (name: string, p: Parameter): void => {
    if (p.kind === 'attribute') return;
    const slash = name.indexOf('/');
    // A scope right above its weights is a layer.
    if (slash > 0 && name.indexOf('/', slash + 1) > 0)
      weights.set(name.slice(0, slash), (weights.get(name.slice(0, slash)) ?? 0) + p.count);
    total += p.count;
  };
  if (model.table) for (const v of model.table.variables) add(v.variableName, v.parameter);
  else for (const p of model.parameters) add(p.name, p);
  for (const [scope, count] of weights) if (count > total / 2) return scope;
  return undefined;
}

function named(title: string, name: string | undefined): string {
  return name === undefined ? title : `${title} (${name})`;
}
