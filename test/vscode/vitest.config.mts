import { defineConfig } from 'vitest/config';

/** The packaged extension in the real workbench, driven through a browser. One workbench at a time. */
export default defineConfig({
  test: {
    dir: 'test/vscode/workbench',
    globalSetup: ['test/vscode/workbench/setup.ts'],
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // A workbench on a busy machine sometimes misses a click; a real defect fails every time.
    retry: 2,
    sequence: { shuffle: false },
  },
});
