// Compiles proto/*.proto to generated/*.js and *.d.ts. A file is compiled again only when its text, this script or the
// compiler changed, so that calling this before every build and every test run costs a few milliseconds.
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const source = path.join(root, 'proto');
const target = path.join(root, 'generated');

const OPTIONS = [
  ['--target', 'static-module', '--wrap', 'esm', '--es6', '--dependency', 'protobufjs/minimal.js'],
  ['--no-create', '--no-verify', '--no-convert', '--no-delimited', '--no-typeurl', '--no-service'],
].flat();

/** @returns {Promise<string[]>} names of the files that were compiled */
export async function compileProtos() {
  fs.mkdirSync(target, { recursive: true });
  const compiler = require('protobufjs-cli/package.json').version + require('protobufjs/package.json').version;
  const script = fs.readFileSync(fileURLToPath(import.meta.url), 'utf8');
  const compiled = [];
  for (const file of fs
    .readdirSync(source)
    .filter((name) => name.endsWith('.proto'))
    .sort()) {
    const name = path.basename(file, '.proto');
    const text = fs.readFileSync(path.join(source, file), 'utf8');
    const stamp = createHash('sha256').update(`${compiler}\n${script}\n${text}`).digest('hex');
    const stampFile = path.join(target, `${name}.stamp`);
    if (read(stampFile) === stamp && fs.existsSync(path.join(target, `${name}.d.ts`))) continue;
    await compile(path.join(source, file), name);
    fs.writeFileSync(stampFile, stamp);
    compiled.push(file);
  }
  return compiled;
}

/** Several processes may compile at once (tests beside a build), so results are moved into place whole. */
async function compile(file, name) {
  const { main } = require('protobufjs-cli/pbjs.js');
  const scratch = fs.mkdtempSync(path.join(target, '.compiling-'));
  try {
    const out = path.join(scratch, `${name}.js`);
    await new Promise((resolve, reject) =>
      main([...OPTIONS, '--dts', '--out', out, file], (error) => (error ? reject(error) : resolve(undefined))),
    );
    const code = exactIntegers(fs.readFileSync(out, 'utf8'));
    const types = exactIntegerTypes(fs.readFileSync(path.join(scratch, `${name}.d.ts`), 'utf8'));
    fs.writeFileSync(out, code);
    fs.writeFileSync(path.join(scratch, `${name}.d.ts`), types);
    for (const result of [`${name}.js`, `${name}.d.ts`])
      fs.renameSync(path.join(scratch, result), path.join(target, result));
  } finally {
    fs.rmSync(scratch, { recursive: true, force: true });
  }
}

/** 64-bit fields are `number | bigint` (src/bytes/protobuf.ts), so their default is the number 0, with no `long` package. */
function exactIntegers(code) {
  const changed = code.replace(
    /\$util\.Long \? \$util\.Long\.from(?:Bits|Value)\([^)]*\) : (?:\/\*[^*]*\*\/ *)?0/g,
    '0',
  );
  if (/\$util\.Long/.test(changed)) throw new Error('The compiled protobuf module still uses the long package.');
  return changed;
}

function exactIntegerTypes(types) {
  return types.replace(/^import Long = require\("long"\);\n/m, '').replace(/\bnumber\|Long\b/g, 'number|bigint');
}

function read(file) {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const compiled = await compileProtos();
  console.error(compiled.length > 0 ? `Compiled ${compiled.join(', ')}.` : 'Protobuf modules are up to date.');
}
