/** Data files that are imported as text; tools/build.mjs and vitest.config.ts load them. */
declare module '*.tsv' {
  const text: string;
  export default text;
}

declare module '*.txt' {
  const text: string;
  export default text;
}

declare module '*.proto' {
  const text: string;
  export default text;
}
