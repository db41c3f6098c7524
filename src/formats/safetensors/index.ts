import { counted } from '../../model/counted';
import type { Fact, Model } from '../../model/model';
import type { Format, ModelInput } from '../format';
import { modelOfTensors, type NamedTensor } from '../torch/plain-tensors';
import { quoted } from '../torch/snippets';
import { looksLikeSafetensors, readHeader, type SafetensorsEntry } from './header';

/** A header entry as a tensor that the parameter table takes. */
export function namedTensor(entry: SafetensorsEntry): NamedTensor {
  const named: NamedTensor = {
    name: entry.name,
    tensor: { dtype: entry.dtype, shape: entry.shape, offset: 0, isParameter: false, layout: 'strided' },
  };
  if (entry.tensor) named.ref = entry.tensor;
  if (entry.problem !== undefined) named.tensor.problem = entry.problem;
  if (entry.dtype === 'void') named.dtypeDetail = entry.dtypeName;
  return named;
}

function open(input: ModelInput): Model {
  const header = readHeader(input.source);
  const facts: Fact[] = [...header.metadata]
    .slice(0, 50)
    .map(([label, value]) => ({ label, value: value.slice(0, 500), note: 'Metadata of the file.' }));
  facts.push({ label: 'Header', value: `${header.headerBytes} bytes` });
  return modelOfTensors(header.entries.map(namedTensor), {
    format: 'safetensors',
    title: (family) => `${family ? `${family} weights` : 'Weights'} (${counted(header.entries.length, 'tensor')})`,
    producer: { name: 'safetensors' },
    facts,
    warnings: header.warnings,
    snippet: {
      label: 'Load safely',
      language: 'python',
      code: `from safetensors.torch import load_file\n\nstate_dict = load_file(${quoted(input.name)})\nmodel.load_state_dict(state_dict)\n`,
    },
    noPrediction:
      'A .safetensors file holds weights but no program: the source of the module, or a known architecture, is needed to predict with it.',
  });
}

/** Reader of .safetensors files. */
export const safetensorsFormat: Format = {
  id: 'safetensors',
  recognise: (head, input) => (looksLikeSafetensors(head, input.source.size) ? 0.95 : 0),
  open,
};
