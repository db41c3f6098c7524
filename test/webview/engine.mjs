/** The real engine behind the harness page: the same service as in the engine process, in this one. */

import { createRequire } from 'node:module';
import path from 'node:path';
import * as esbuild from 'esbuild';
import { compileProtos } from '../../tools/protos.mjs';
import { root } from './harness.mjs';

const require = createRequire(import.meta.url);
let loaded;

/** Bundles the service once. */
export async function loadService() {
  if (!loaded) {
    await compileProtos();
    const file = path.join(root, 'out/webview/engine.cjs');
    await esbuild.build({
      entryPoints: [path.join(root, 'src/engine/service.ts')],
      outfile: file,
      bundle: true,
      platform: 'node',
      target: 'node20',
      format: 'cjs',
      external: ['onnxruntime-node', 'onnxruntime-web'],
      loader: { '.tsv': 'text', '.txt': 'text', '.proto': 'text' },
      plugins: [
        {
          name: 'without-long',
          setup(build) {
            build.onResolve({ filter: /^long$/ }, () => ({ path: 'long', namespace: 'without-long' }));
            build.onLoad({ filter: /.*/, namespace: 'without-long' }, () => ({ contents: 'module.exports = null;' }));
          },
        },
      ],
      logLevel: 'error',
    });
    loaded = require(file);
  }
  return loaded.EngineService;
}

/** A function that answers the view's calls from a file. */
export async function engineFor(file) {
  const Service = await loadService();
  const service = new Service();
  let opened;
  const call = async (method, args) => {
    opened ??= service.open({ path: file });
    await opened;
    return service[method](...args);
  };
  return { call, close: () => service.close() };
}
