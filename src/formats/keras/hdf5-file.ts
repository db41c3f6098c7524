import type { Fact, Finding, Model, SourceText } from '../../model/model';
import type { Format, ModelInput } from '../format';
import { parseConfig, pretty } from './config-text';
import { type Hdf5Node, isHdf5, loadHdf5, readHdf5 } from './hdf5';
import { KerasModel } from './model';

/** HDF5 files: Keras models and weights, and any other. */
export const hdf5Format: Format = {
  id: 'hdf5',
  prepare: loadHdf5,
  recognise: (head, input) => (isHdf5(head, input.source.size) ? 0.95 : 0),
  open: openHdf5,
};

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
