import { isZip, openZip } from '../../archives/zip';
import type { ByteSource } from '../../bytes/byte-source';
import { asModelError, ModelError } from '../../bytes/errors';
import type { Fact, Finding, Model, SourceText } from '../../model/model';
import type { Confidence, Format, ModelInput } from '../format';
import { type Hdf5Node, isHdf5, loadHdf5, readHdf5 } from './hdf5';
import { type LayerConfig, layerConfig } from './layer-config';
import { isObject, type Json } from './literal';
import { KerasModel } from './model';

/** Text members of a `.keras` file that are read whole. A configuration of thousands of layers has some megabytes. */
const MAX_CONFIG_BYTES = 256 * 1024 * 1024;

/** `.keras` archives: a zip with `config.json`, `metadata.json` and `model.weights.h5`. */
export const kerasFormat: Format = {
  id: 'keras',
  prepare: loadHdf5,
  recognise(head: Uint8Array, input: ModelInput): Confidence {
    if (head[0] !== 0x50 || head[1] !== 0x4b || !isZip(input.source)) return 0;
    try {
      const zip = openZip(input.source);
      const weights = zip.get('model.weights.h5') ?? zip.get('model.weights.npz') ?? zip.get('metadata.json');
      return zip.get('config.json') && weights ? 0.95 : 0;
    } catch {
      return 0;
    }
  },
  open: openArchive,
};

/** HDF5 files: Keras models and weights, and any other. */
export const hdf5Format: Format = {
  id: 'hdf5',
  prepare: loadHdf5,
  recognise: (head, input) => (isHdf5(head, input.source.size) ? 0.95 : 0),
  open: openHdf5,
};

/** The readers of this folder. */
export const KERAS_FORMATS: Format[] = [kerasFormat, hdf5Format];

function openArchive(input: ModelInput): Model {
  const zip = openZip(input.source);
  const warnings: Finding[] = [];
  const facts: Fact[] = [];
  const text = (name: string): string | undefined => {
    const member = zip.get(name);
    if (!member) return undefined;
    if (member.size > MAX_CONFIG_BYTES)
      throw new ModelError(
        'limit',
        `${name} in ${input.name} declares ${member.size} bytes, too many for a configuration.`,
        { member: name },
      );
    const { source, error } = member.open(MAX_CONFIG_BYTES);
    if (error) warnings.push({ rule: 'keras-member', severity: 'info', message: error.message, member: name });
    return new TextDecoder().decode(source.read(0, source.size));
  };
  const configText = text('config.json');
  const config = parseConfig(configText, 'config.json', warnings);
  const metadata = json(text('metadata.json'));
  const version = isObject(metadata) && typeof metadata.keras_version === 'string' ? metadata.keras_version : undefined;
  if (version) facts.push({ label: 'Keras', value: version });
  if (isObject(metadata) && typeof metadata.date_saved === 'string')
    facts.push({ label: 'Saved', value: metadata.date_saved.replace('@', ' ') });
  const assets = zip.members.filter((m) => m.name.startsWith('assets/') && !m.isDirectory);
  if (assets.length > 0)
    facts.push({
      label: 'Assets',
      value: assets
        .slice(0, 12)
        .map((m) => m.name.slice(7))
        .join(', '),
    });
  let weights: { root: Hdf5Node; source: ByteSource } | undefined;
  const member = zip.get('model.weights.h5');
  if (member) {
    try {
      const source = member.source();
      weights = { root: readHdf5(source), source };
    } catch (error) {
      const problem = asModelError(error, 'model.weights.h5');
      warnings.push({ rule: 'keras-weights', severity: 'info', message: problem.message, member: 'model.weights.h5' });
    }
  } else
    warnings.push({
      rule: 'keras-weights',
      severity: 'info',
      message: `${input.name} has no model.weights.h5, so only the structure is shown.`,
    });
  const model: Model = new KerasModel({
    format: 'keras',
    name: input.name,
    config,
    layout: 'saving',
    facts,
    warnings,
    ...(weights && { weights }),
    ...(version !== undefined && { version }),
  });
  const sources: SourceText[] = [];
  if (configText !== undefined) sources.push({ path: 'config.json', language: 'json', text: () => pretty(configText) });
  for (const asset of assets) sources.push({ path: asset.name, language: 'text', text: () => text(asset.name) ?? '' });
  if (sources.length > 0) model.sources = sources;
  return model;
}

function openHdf5(input: ModelInput): Model {
  const { source } = input;
  const root = readHdf5(source);
  const warnings: Finding[] = [];
  const facts: Fact[] = [];
  const attribute = (name: string, node: Hdf5Node = root): string | undefined => {
    const value = node.attributes.get(name);
    return typeof value === 'string' ? value : undefined;
  };
  const configText = attribute('model_config');
  const config = parseConfig(configText, 'model_config', warnings);
  const group = root.children.find((child) => child.name === 'model_weights') ?? root;
  const version = attribute('keras_version') ?? attribute('keras_version', group);
  if (version) facts.push({ label: 'Keras', value: version });
  const backend = attribute('backend') ?? attribute('backend', group);
  if (backend) facts.push({ label: 'Backend', value: backend });
  const isLegacy = group.attributes.has('layer_names') || configText !== undefined;
  const isSaving =
    !isLegacy &&
    root.children.some(
      (child) => child.name === 'vars' || child.name === 'layers' || child.name === '_layer_checkpoint_dependencies',
    );
  const model: Model = new KerasModel({
    format: 'hdf5',
    name: input.name,
    config,
    layout: isLegacy ? 'legacy' : isSaving ? 'saving' : 'plain',
    weights: { root: isLegacy ? withOptimizer(group, root) : root, source },
    facts,
    warnings,
    ...(version !== undefined && { version }),
  });
  const sources: SourceText[] = [];
  if (configText !== undefined)
    sources.push({ path: 'model_config', language: 'json', text: () => pretty(configText) });
  const training = attribute('training_config');
  if (training !== undefined) sources.push({ path: 'training_config', language: 'json', text: () => pretty(training) });
  if (sources.length > 0) model.sources = sources;
  return model;
}

/** The weights of the model with those of its optimizer beside them. */
function withOptimizer(group: Hdf5Node, root: Hdf5Node): Hdf5Node {
  const optimizer = root === group ? undefined : root.children.find((child) => child.name === 'optimizer_weights');
  return optimizer ? { ...group, children: [...group.children, optimizer] } : group;
}

function json(text: string | undefined): Json {
  if (text === undefined) return null;
  try {
    return JSON.parse(text) as Json;
  } catch {
    return null;
  }
}

function parseConfig(text: string | undefined, where: string, warnings: Finding[]): LayerConfig | undefined {
  if (text === undefined) return undefined;
  const config = layerConfig(json(text));
  if (!config)
    warnings.push({
      rule: 'keras-config',
      severity: 'suspicious',
      message: `${where} is not the configuration of a Keras model, so the layers are not known.`,
      member: where,
    });
  return config;
}

function pretty(text: string): string {
  const value = json(text);
  return value === null ? text : JSON.stringify(value, undefined, 2);
}
