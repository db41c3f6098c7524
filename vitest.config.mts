import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [
    {
      // The same text data files that the bundles inline (tools/build.mjs).
      name: 'text-modules',
      enforce: 'pre',
      transform(code: string, id: string) {
        if (/\.(tsv|txt|proto)$/.test(id)) return { code: `export default ${JSON.stringify(code)};`, map: null };
        return undefined;
      },
    },
  ],
  test: {
    include: ['test/{unit,parity,security,fuzz,cli}/**/*.test.ts', 'webview-ui/**/*.test.{ts,tsx}'],
    globalSetup: ['tools/test-setup.mjs'],
    testTimeout: 60_000,
  },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
});
