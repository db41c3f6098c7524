import type { SourceText } from '../../model/model';
import type { Pickle } from '../../pickle/machine';
import { PersistentId } from '../../pickle/values';
import { containerId } from './container';
import { persistentIdsOf } from './packed-storage';

/** The embedded class sources that a pickle's persistent ids carry. */
export function embeddedSources(pickle: Pickle): SourceText[] {
  const sources = new Map<string, SourceText>();
  for (const id of persistentIdsOf(pickle.outerEvents)) {
    if (!(id instanceof PersistentId)) continue;
    const found = containerId(id);
    const { source } = found ?? {};
    if (!found || source === undefined || source === '') continue;
    const path = `${found.callable.path}.py`;
    if (!sources.has(path)) {
      const heading = found.file ? `# ${found.file}\n` : '';
      sources.set(path, { path, language: 'python', text: () => heading + source });
    }
  }
  return [...sources.values()];
}
