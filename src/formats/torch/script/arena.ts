import type { TorchArchive } from '../archive';
import type { FunctionDefinition } from './ast';
import { ScriptCode } from './code';

/** What an archive of torch 1.0 to 1.3 says of one module's code. */
export interface Arena {
  /** Code file, whose functions are the module's methods. */
  file?: string;
  parameters: Set<string>;
  buffers: Set<string>;
}

/** The code of `model.json` archives: no classes, but one file of functions for each module that has methods. */
export class ArenaCode extends ScriptCode {
  constructor(
    archive: TorchArchive,
    /** By the qualified name that the reader gave each module. */
    private readonly arenas: ReadonlyMap<string, Arena>,
  ) {
    super(archive);
  }

  override methods(qualified: string): FunctionDefinition[] {
    const file = this.arenas.get(qualified)?.file;
    return file === undefined
      ? []
      : (this.parse(file)?.body ?? []).filter((s): s is FunctionDefinition => s.kind === 'function');
  }

  override declared(qualified: string): { parameters: Set<string>; buffers: Set<string> } | undefined {
    return this.arenas.get(qualified);
  }
}
