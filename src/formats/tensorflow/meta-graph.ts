import { tensorflow } from '../../../generated/tensorflow';
import { asModelError, type ModelError } from '../../bytes/errors';
import { decodeMessage } from '../../bytes/protobuf';
import { BYTES, WireReader } from '../../bytes/wire';
import { GraphDefView, type Piece } from './graph-def';
import { ObjectGraph } from './object-graph';

/**
 * One MetaGraphDef. Its parts are decoded when they are asked for, so that a table of weights does not wait for a graph of a million nodes.
 * A damaged part is reported in `errors` and is empty.
 */
export class MetaGraph {
  readonly errors: ModelError[] = [];
  private readonly pieces = new Map<number, Piece[]>();
  private readonly made = new Map<string, unknown>();

  constructor(piece: Piece) {
    const fields = new WireReader(piece.bytes, piece.from, piece.to, 'The meta graph');
    while (fields.nextTolerant()) {
      if (fields.wire !== BYTES) continue;
      const list = this.pieces.get(fields.field) ?? [];
      list.push({ bytes: piece.bytes, from: fields.from, to: fields.to });
      this.pieces.set(fields.field, list);
    }
    if (fields.error) this.errors.push(fields.error);
  }

  get info(): tensorflow.MetaGraphDef.MetaInfoDef.$Properties {
    return this.once<tensorflow.MetaGraphDef.MetaInfoDef.$Properties>(
      'info',
      () => this.single(1, tensorflow.MetaGraphDef.MetaInfoDef, 'The meta information'),
      {},
    );
  }

  get tags(): readonly string[] {
    return this.info.tags ?? [];
  }

  get graph(): GraphDefView {
    return this.once(
      'graph',
      () => {
        const [piece] = this.pieces.get(2) ?? [];
        const graph = new GraphDefView(piece ?? EMPTY);
        if (graph.error) this.errors.push(graph.error);
        return graph;
      },
      new GraphDefView(EMPTY),
    );
  }

  /** Bytes of the GraphDef, a measure of the graph before it is read. */
  get graphBytes(): number {
    return (this.pieces.get(2) ?? []).reduce((n, p) => n + p.to - p.from, 0);
  }

  get saver(): tensorflow.SaverDef.$Properties | undefined {
    return this.once(
      'saver',
      () => (this.pieces.has(3) ? this.single(3, tensorflow.SaverDef, 'The saver') : undefined),
      undefined,
    );
  }

  get collections(): ReadonlyMap<string, tensorflow.CollectionDef.$Properties> {
    return this.once('collections', () => this.map(4, tensorflow.CollectionDef, 'The collection'), new Map());
  }

  get signatures(): ReadonlyMap<string, tensorflow.SignatureDef.$Properties> {
    return this.once('signatures', () => this.map(5, tensorflow.SignatureDef, 'The signature'), new Map());
  }

  get assets(): readonly tensorflow.AssetFileDef.$Properties[] {
    return this.once(
      'assets',
      () => (this.pieces.get(6) ?? []).map((p) => decodeMessage(tensorflow.AssetFileDef, view(p), 'An asset')),
      [] as tensorflow.AssetFileDef.$Properties[],
    );
  }

  get objects(): ObjectGraph {
    return this.once(
      'objects',
      () => new ObjectGraph(this.single(7, tensorflow.SavedObjectGraph, 'The object graph')),
      new ObjectGraph({}),
    );
  }

  private single<T>(field: number, type: { decode(reader: never): T }, what: string): T {
    const pieces = this.pieces.get(field) ?? [];
    return decodeMessage(type as Parameters<typeof decodeMessage<T>>[0], view(pieces.at(-1) ?? EMPTY), what);
  }

  /** Entries of a map field, decoded one by one, so that a damaged one does not take the others with it. */
  private map<T>(field: number, type: { decode(reader: never): T }, what: string): Map<string, T> {
    const out = new Map<string, T>();
    for (const piece of this.pieces.get(field) ?? []) {
      try {
        const entry = new WireReader(piece.bytes, piece.from, piece.to, what);
        let key = '';
        let value: Piece = EMPTY;
        while (entry.next()) {
          if (entry.field === 1) key = entry.text();
          else if (entry.field === 2) value = { bytes: piece.bytes, from: entry.from, to: entry.to };
        }
        out.set(key, decodeMessage(type as Parameters<typeof decodeMessage<T>>[0], view(value), `${what} ${key}`));
      } catch (error) {
        this.errors.push(asModelError(error, what));
      }
    }
    return out;
  }

  private once<T>(name: string, make: () => T, otherwise: T): T {
    if (!this.made.has(name)) {
      let value = otherwise;
      try {
        value = make();
      } catch (error) {
        this.errors.push(asModelError(error, 'The meta graph'));
      }
      this.made.set(name, value);
    }
    return this.made.get(name) as T;
  }
}

const EMPTY: Piece = { bytes: new Uint8Array(0), from: 0, to: 0 };

function view(piece: Piece): Uint8Array {
  return piece.bytes.subarray(piece.from, piece.to);
}

/** The meta graphs of a `saved_model.pb`, and what is wrong with the file as a whole. */
export function readMetaGraphs(bytes: Uint8Array): { graphs: MetaGraph[]; error?: ModelError } {
  const graphs: MetaGraph[] = [];
  const fields = new WireReader(bytes, 0, bytes.length, 'The SavedModel');
  while (fields.nextTolerant()) {
    if (fields.field === 2 && fields.wire === BYTES)
      graphs.push(new MetaGraph({ bytes, from: fields.from, to: fields.to }));
  }
  return fields.error ? { graphs, error: fields.error } : { graphs };
}
