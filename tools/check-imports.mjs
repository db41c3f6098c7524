/**
 * Holds the direction of imports: each folder of src may import from those listed for it, and nothing else.
 *   node tools/check-imports.mjs
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

const READING = ['model', 'pickle', 'tensors', 'archives', 'bytes'];

/** Folder → folders that it may import from, besides itself. */
const MAY_IMPORT = {
  bytes: [],
  archives: ['bytes'],
  tensors: ['archives', 'bytes'],
  pickle: ['bytes'],
  model: ['pickle', 'tensors', 'bytes'],
  formats: READING,
  security: ['formats', ...READING],
  onnx: ['tensors', 'bytes'],
  lowering: ['onnx', 'formats', ...READING],
  prediction: ['lowering', 'onnx', 'formats', ...READING],
  engine: ['prediction', 'lowering', 'onnx', 'security', 'formats', ...READING],
  cli: ['engine', 'prediction', 'lowering', 'onnx', 'security', 'formats', ...READING],
  'engine-client': ['bytes'],
  editor: ['engine-client', 'bytes'],
  workspace: ['editor', 'engine-client', 'bytes'],
  'extension.ts': ['editor', 'workspace', 'engine-client'],
  'webview-ui': ['engine-client'],
};

/** The part of src/engine that runs in the extension host (and, of it, the wire in the webview). */
const ENGINE_CLIENT = new Set(['client', 'contract', 'pool', 'process', 'transport', 'wire']);

/** Types may come from further away: these carry no code into a bundle. */
const TYPES_FROM = {
  editor: READING.concat('security'),
  workspace: READING.concat('security'),
  'engine-client': READING.concat('security'),
  'webview-ui': READING.concat('security'),
};

/** Packages and built-in modules that only some folders may import. */
const RESERVED = [
  { module: /^vscode$/, only: ['extension.ts', 'editor', 'workspace'] },
  { module: /^onnxruntime-/, only: ['prediction'] },
  {
    module: /^(node:)?(fs|fs\/promises|child_process|net|http|https)$/,
    only: ['engine', 'engine-client', 'cli', 'editor', 'workspace'],
    except: ['src/bytes/file-source.ts'],
  },
];

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s+(type\s)?(?:[\w*{}\s,$]+?\sfrom\s+)?['"]([^'"]+)['"]|\bawait\s+import\(\s*['"]([^'"]+)['"]\s*\)|\brequire\(\s*['"]([^'"]+)['"]\s*\)/g;

function* sources(folder) {
  for (const entry of readdirSync(folder)) {
    const file = path.join(folder, entry);
    if (statSync(file).isDirectory()) yield* sources(file);
    else if (/\.tsx?$/.test(entry) && !entry.endsWith('.d.ts')) yield file;
  }
}

/** The room that a file is in. */
function roomOf(file) {
  const parts = path.relative(root, file).split(path.sep);
  if (parts[0] === 'webview-ui') return 'webview-ui';
  if (parts[0] !== 'src') return undefined;
  if (parts[1] === 'engine' && ENGINE_CLIENT.has(parts[2]?.replace(/\.ts$/, ''))) return 'engine-client';
  return parts[1];
}

export function checkImports() {
  const problems = [];
  let files = 0;
  for (const file of [...sources(path.join(root, 'src')), ...sources(path.join(root, 'webview-ui/src'))]) {
    files++;
    const name = path.relative(root, file);
    const room = roomOf(file);
    const allowed = MAY_IMPORT[room];
    if (!allowed) {
      problems.push(
        `${name}: there is no rule for ${room}; add it to tools/check-imports.mjs and to docs/architecture.md.`,
      );
      continue;
    }
    // A bare import('…') without await is a type.
    for (const [, type, from, dynamic, required] of readFileSync(file, 'utf8').matchAll(IMPORT)) {
      const module = from ?? dynamic ?? required;
      const reserved = RESERVED.find((rule) => rule.module.test(module));
      const isType = type !== undefined;
      if (reserved && !isType && !reserved.only.includes(room) && !reserved.except?.includes(name)) {
        problems.push(`${name}: ${module} belongs to ${reserved.only.join(', ')} only.`);
      }
      if (!module.startsWith('.')) continue;
      const target = roomOf(path.resolve(path.dirname(file), module));
      if (target === undefined || target === room || allowed.includes(target)) continue;
      // Everything in the engine may use the contract and the transport.
      if (target === 'engine-client' && ['engine', 'cli'].includes(room)) continue;
      if (isType && TYPES_FROM[room]?.includes(target)) continue;
      problems.push(`${name}: ${room} must not import ${target} (${module}).`);
    }
  }
  return { files, problems };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { files, problems } = checkImports();
  for (const problem of problems) console.error(problem);
  console.log(`${files} files, ${problems.length} imports that run the wrong way.`);
  process.exitCode = problems.length > 0 ? 1 : 0;
}
