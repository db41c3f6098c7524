import type { ByteRange } from '../../bytes/byte-range';
import type { ByteSource } from '../../bytes/byte-source';
import { asModelError, ModelError } from '../../bytes/errors';
import { elementCount } from '../../tensors/dtype';
import type { TensorRef } from '../../tensors/tensor';
import { stringsTensor } from '../tensorflow/string-tensor';
import { type AttributeValue, attributesOf, datasetOf, type Hdf5Dataset, virtualSources } from './hdf5-metadata';
import { Pages } from './pages';

type Loaded = typeof import('h5wasm');

/** What is used of the library. `Module` is what its `ready` gives: the export of that name is set later than a bundle sees it. */
interface Library {
  File: Loaded['File'];
  Group: Loaded['Group'];
  Dataset: Loaded['Dataset'];
  ExternalLink: Loaded['ExternalLink'];
  Module: Awaited<Loaded['ready']>;
}

/** A group or dataset of an HDF5 file. */
export interface Hdf5Node {
  /** Absolute path in the file. */
  path: string;
  name: string;
  attributes: Map<string, AttributeValue>;
  /** Empty for datasets. */
  children: Hdf5Node[];
  dataset?: Hdf5Dataset;
  /** Why it could not be read. */
  problem?: string;
  /** Other files that it stands for: the target of an external link, the sources of a virtual dataset. */
  files?: string[];
}

/** Groups inside groups; hard links can form cycles, which only depth ends. */
const MAX_DEPTH = 64;
/** Objects of one file that are listed. Large models have some 10,000 datasets. */
const MAX_OBJECTS = 200_000;
/** Bytes of one dataset that are unpacked at once. */
const MAX_READ = 512 * 1024 * 1024;

let library: Library | undefined;
let loading: Promise<void> | undefined;

/** Loads the HDF5 library, which is WebAssembly and cannot be loaded synchronously. Must have finished before `readHdf5`. */
export function loadHdf5(): Promise<void> {
  loading ??= import('h5wasm').then(async (loaded) => {
    const Module = await loaded.ready;
    silence(Module);
    library = {
      File: loaded.File,
      Group: loaded.Group,
      Dataset: loaded.Dataset,
      ExternalLink: loaded.ExternalLink,
      Module,
    };
  });
  return loading;
}

/** The library prints what it thinks of a damaged file; the errors that it throws are what counts. */
function silence(module: Library['Module']): void {
  const streams = module.FS as unknown as { getStream?(fd: number): { tty?: { ops: unknown } } | null | undefined };
  const terminal = streams.getStream?.(2)?.tty;
  if (terminal) terminal.ops = { put_char: () => undefined, fsync: () => undefined };
}

/** The signature of an HDF5 file stands at its start, or after a user block of a power of two from 512 on. */
export function isHdf5(head: Uint8Array, size: number): boolean {
  const signature = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];
  for (let at = 0; at + 8 <= Math.min(head.length, size); at = at === 0 ? 512 : at * 2) {
    if (signature.every((byte, i) => head[at + i] === byte)) return true;
  }
  return false;
}

/** Trees by the file that they were read from: the model and its judgement look at the same one. */
const trees = new WeakMap<ByteSource, Hdf5Node>();

/**
 * Lists the groups and datasets of a file; their values are read when asked for. The same source gives the same tree, which callers must
 * not change.
 * @throws ModelError when the file is not HDF5 or its root cannot be read.
 */
export function readHdf5(source: ByteSource): Hdf5Node {
  const known = trees.get(source);
  if (known) return known;
  const tree = listObjects(source);
  trees.set(source, tree);
  return tree;
}

function listObjects(source: ByteSource): Hdf5Node {
  return withFile(source, (file, lib) => {
    const root: Hdf5Node = { path: '/', name: '', attributes: attributesOf(file), children: [] };
    const pending: { node: Hdf5Node; depth: number }[] = [{ node: root, depth: 0 }];
    let count = 0;
    for (let next = pending.pop(); next; next = pending.pop()) {
      const { node, depth } = next;
      const group = node === root ? file : file.get(node.path);
      if (!(group instanceof lib.Group)) continue;
      for (const name of group.keys()) {
        if (++count > MAX_OBJECTS)
          throw new ModelError('limit', `${source.name} has more than ${MAX_OBJECTS} groups and datasets.`);
        const child: Hdf5Node = {
          path: node.path === '/' ? `/${name}` : `${node.path}/${name}`,
          name,
          attributes: new Map(),
          children: [],
        };
        node.children.push(child);
        try {
          const entity = file.get(child.path);
          if (entity instanceof lib.Dataset) {
            child.attributes = attributesOf(entity);
            // The library asks the file anew every time.
            const { metadata } = entity;
            child.dataset = datasetOf(metadata, child.attributes);
            const files = virtualSources(metadata);
            if (files.length > 0) child.files = files;
          } else if (entity instanceof lib.Group) {
            child.attributes = attributesOf(entity);
            if (depth + 1 >= MAX_DEPTH)
              child.problem = `Groups nest more than ${MAX_DEPTH} deep; what is below was not read.`;
            else pending.push({ node: child, depth: depth + 1 });
          } else {
            child.problem = 'A link to another place or file, which was not followed.';
            if (entity instanceof lib.ExternalLink) child.files = [entity.filename];
          }
        } catch (error) {
          child.problem = asModelError(error, child.path).message;
        }
      }
    }
    return root;
  });
}

/** The values of a dataset as a tensor that is read when looked at; `undefined` when it has none that can be shown. */
export function datasetTensor(source: ByteSource, node: Hdf5Node): TensorRef | undefined {
  const { dataset } = node;
  if (!dataset) return undefined;
  const { shape, dtype, itemsize } = dataset;
  const count = elementCount(shape);
  if (dataset.variableText) {
    let made: TensorRef | undefined;
    const lay = (): TensorRef => {
      made ??= stringsTensor(texts(source, node), shape, node.path);
      return made;
    };
    return {
      dtype: 'bytes',
      shape,
      get itemsize() {
        return lay().itemsize;
      },
      data: {
        get length() {
          return lay().data.length;
        },
        bytes: (a, b) => lay().data.bytes(a, b),
      },
    };
  }
  if (dtype === 'object' || dtype === 'structured' || dtype === 'void' || !Number.isFinite(count)) return undefined;
  const ref: TensorRef = { dtype, shape, data: new DatasetRange(source, node.path, shape, itemsize) };
  if (dataset.byteOrder === 'big' && itemsize > 1) ref.byteOrder = 'big';
  if (dtype === 'bytes') ref.itemsize = itemsize;
  return ref;
}

/** Bytes of a dataset in row-major order, whatever its layout and filters; read by whole rows of the first dimension. */
class DatasetRange implements ByteRange {
  readonly length: number;
  private readonly rowBytes: number;

  constructor(
    private readonly source: ByteSource,
    private readonly path: string,
    private readonly shape: readonly number[],
    itemsize: number,
  ) {
    this.length = elementCount(shape) * itemsize;
    this.rowBytes = shape.length === 0 ? itemsize : elementCount(shape.slice(1)) * itemsize;
  }

  bytes(start = 0, end = this.length): Uint8Array {
    const to = Math.max(start, Math.min(end, this.length));
    if (to === start) return new Uint8Array(0);
    const first = Math.floor(start / this.rowBytes);
    const last = Math.ceil(to / this.rowBytes);
    const size = (last - first) * this.rowBytes;
    if (size > MAX_READ) {
      throw new ModelError(
        'limit',
        `${size} bytes of ${this.path} were asked for at once; at most ${MAX_READ} are unpacked.`,
      );
    }
    const bytes = withFile(this.source, (file, { Module }) => {
      const pointer = Module._malloc(size);
      if (pointer === 0)
        throw new ModelError('limit', `There is not enough memory to unpack ${size} bytes of ${this.path}.`);
      try {
        const whole = this.shape.length === 0;
        const counts = this.shape.map((n, i) => BigInt(i === 0 ? last - first : n));
        const offsets = this.shape.map((_, i) => BigInt(i === 0 ? first : 0));
        const strides = this.shape.map(() => 1n);
        Module.get_dataset_data(
          file.file_id,
          this.path,
          whole ? null : counts,
          whole ? null : offsets,
          whole ? null : strides,
          BigInt(pointer),
        );
        return Module.HEAPU8.slice(pointer, pointer + size);
      } finally {
        Module._free(pointer);
      }
    });
    return bytes.subarray(start - first * this.rowBytes, to - first * this.rowBytes);
  }
}

function texts(source: ByteSource, node: Hdf5Node): Uint8Array[] {
  return withFile(source, (file, lib) => {
    const entity = file.get(node.path);
    const value = entity instanceof lib.Dataset ? entity.value : undefined;
    const list = Array.isArray(value) ? value : [value];
    const encoder = new TextEncoder();
    return list.map((item) => (item instanceof Uint8Array ? item : encoder.encode(String(item ?? ''))));
  });
}

let mounted = 0;

/** Opens a source through the library's file system, whose reads go to the source, and closes it again. */
function withFile<T>(source: ByteSource, use: (file: InstanceType<Library['File']>, lib: Library) => T): T {
  if (!library) throw new ModelError('unsupported', 'The HDF5 library is not loaded.', { reason: 'not-prepared' });
  const lib = library;
  const fs = (lib.Module as unknown as { FS: FileSystem }).FS;
  const name = `/model-${mounted++}.h5`;
  const node = fs.createFile('/', name.slice(1), {}, true, false);
  node.usedBytes = source.size;
  const pages = new Pages(source);
  node.stream_ops = {
    ...node.stream_ops,
    read: (_stream, buffer, offset, length, position) => {
      const count = Math.max(0, Math.min(length, source.size - position));
      if (count > 0) pages.copy(position, count, buffer, offset);
      return count;
    },
  };
  let file: InstanceType<Library['File']> | undefined;
  try {
    file = new lib.File(name, 'r');
    return use(file, lib);
  } catch (error) {
    if (error instanceof ModelError) throw error;
    const reason = firstLine(error instanceof Error ? error.message : String(error));
    // What the library says of a file that it could not open at all says nothing.
    const said = /not defined/.test(reason) ? '' : ` (${reason})`;
    throw new ModelError(
      'malformed',
      `${source.name} could not be read as HDF5${said}. It may be cut off or damaged.`,
      { cause: error },
    );
  } finally {
    try {
      file?.close();
    } catch {
      // A damaged file may not even close; its node goes anyway.
    }
    fs.unlink(name);
  }
}

/** What is used of Emscripten's file system. */
interface FileSystem {
  createFile(parent: string, name: string, properties: object, canRead: boolean, canWrite: boolean): FileNode;
  unlink(path: string): void;
}

interface FileNode {
  usedBytes: number;
  stream_ops: {
    read(stream: unknown, buffer: Uint8Array, offset: number, length: number, position: number): number;
    [operation: string]: unknown;
  };
}

function firstLine(text: string): string {
  return text.trim().split('\n')[0]!.slice(0, 200);
}
