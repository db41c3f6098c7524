import { readUpTo } from '../../bytes/byte-source';
import type { SourceText } from '../../model/model';
import type { ModelInput } from '../format';
import { looksLikeText } from '../unknown';

/** Text of one asset that is shown; vocabularies are smaller. */
const MAX_ASSET_TEXT = 8 * 1024 * 1024;
const MAX_ASSETS = 256;

/** Assets and vocabularies that are text, read when they are opened. */
export function assetTexts(input: ModelInput, folder: string): SourceText[] {
  const out: SourceText[] = [];
  for (const path of input.neighbours(folder).slice(0, MAX_ASSETS)) {
    const source = input.neighbour(path);
    if (!source || source.size === 0 || !looksLikeText(readUpTo(source, 0, 1024))) continue;
    out.push({
      path,
      language: path.endsWith('.json') ? 'json' : 'text',
      text: () => {
        const text = new TextDecoder().decode(readUpTo(source, 0, MAX_ASSET_TEXT));
        return source.size > MAX_ASSET_TEXT ? `${text}\n… ${source.size - MAX_ASSET_TEXT} more bytes` : text;
      },
    });
  }
  return out;
}
