import { isZip, openZip } from '../../archives/zip';
import type { ByteSource } from '../../bytes/byte-source';
import { asModelError, ModelError } from '../../bytes/errors';
import type { Fact, Finding, Model, SourceText } from '../../model/model';
import type { Confidence, Format, ModelInput } from '../format';
import { json, parseConfig, pretty } from './config-text';
import { type Hdf5Node, loadHdf5, readHdf5 } from './hdf5';
import { isObject } from './literal';
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
