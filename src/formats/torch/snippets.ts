import { ImportEvent, type Value } from '../../pickle/values';
import type { FoundStateDict } from './checkpoint';
import type { TorchContainer } from './container';
import { mappingOf } from './walk';
import { wrappingOf } from './wrappers';

/** Code that the user may want to copy. */
export interface Snippet {
  label: string;
  language: string;
  code: string;
}

/** What `weights_only=True` accepts without further ado. Source: torch `_weights_only_unpickler.py`. */
const WEIGHTS_ONLY =
  /^(torch\._utils\._rebuild_\w+|torch\.(\w+Storage|Size|device|\w*Tensor|float\w*|u?int\d*|bool|bfloat16|complex\w*|half|double|long|short|bits\w*|q\w+|per_\w+|sparse_\w+|strided)|torch\.storage\.\w+|torch\.cuda\.\w+Storage|torch\.nn\.parameter\.(Parameter|Buffer)|torch\._tensor\._rebuild_from_type_v2|torch\.serialization\._get_layout|collections\.(OrderedDict|Counter)|_codecs\.encode|builtins\.(bytearray|set|complex))$/;

/** How to load a file without running what is in it, and which key holds the weights. */
export function loadSnippet(
  container: TorchContainer,
  fileName: string,
  dicts: readonly FoundStateDict[],
  root: Value,
): Snippet {
  const name = quoted(fileName);
  const others = new Set<string>();
  const seen = new Set<object>();
  for (const event of container.main.outerEvents) {
    if (!(event instanceof ImportEvent) || seen.has(event.global)) continue;
    seen.add(event.global);
    if (!WEIGHTS_ONLY.test(event.global.path)) others.add(event.global.path);
  }
  if (container.format === 'pickle') return pickleSnippet(name, [...others]);
  const lines = ['import torch', ''];
  const mmap = container.format === 'torch-zip' ? ', mmap=True' : '';
  if (others.size > 0) {
    lines.push('# weights_only=True refuses this file: it also imports');
    for (const path of [...others].slice(0, 12)) lines.push(`#   ${printable(path)}`);
    if (others.size > 12) lines.push(`#   and ${others.size - 12} more`);
    lines.push('# Only if you trust the file: allow exactly these with torch.serialization.safe_globals([...]).');
  }
  if (container.format === 'torch-tar') lines.push('# Files of this age cannot be mapped; they are read whole.');
  const call = `torch.load(${name}, map_location="cpu", weights_only=True${mmap})`;
  const main = dicts[0];
  const other = mappingOf(root);
  if (main && main.path !== '') {
    lines.push(`checkpoint = ${call}`, `state_dict = checkpoint${printable(main.subscript)}`);
  } else if (main) lines.push(`state_dict = ${call}`);
  else lines.push(`${other ? 'data' : 'loaded'} = ${call}`);
  if (main) {
    const { prefix, by } = wrappingOf(main.mapping.keys());
    if (prefix !== '')
      lines.push(
        `# The model was wrapped by ${by.join(' and ')}:`,
        `state_dict = {k.removeprefix(${quoted(prefix)}): v for k, v in state_dict.items()}`,
      );
    lines.push('model.load_state_dict(state_dict)');
  }
  return { label: 'Load safely', language: 'python', code: `${lines.join('\n')}\n` };
}

/** A plain pickle has no safe loader: `weights_only` is a matter of `torch.load`. */
function pickleSnippet(name: string, imports: string[]): Snippet {
  const lines = [
    'import pickle',
    '',
    '# A plain pickle can run code while it loads: open only files that you trust. It imports',
  ];
  for (const path of imports.slice(0, 12)) lines.push(`#   ${printable(path)}`);
  if (imports.length > 12) lines.push(`#   and ${imports.length - 12} more`);
  lines.push(
    '# Saved with torch.save instead, it could be loaded with weights_only=True.',
    `with open(${name}, "rb") as file:`,
    '    model = pickle.load(file)',
  );
  return { label: 'Load', language: 'python', code: `${lines.join('\n')}\n` };
}

/** Text of the file inside code: control and formatting characters are written out. */
export function printable(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (char) => `\\u${(char.codePointAt(0) as number).toString(16).padStart(4, '0')}`,
  );
}

/** A string literal of Python (and JSON) with nothing invisible in it. */
export function quoted(text: string): string {
  return printable(JSON.stringify(text));
}
