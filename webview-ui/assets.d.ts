/** Files that the webview's bundle inlines (tools/build.mjs). */
declare module '*.css';

declare module '*.svg' {
  const text: string;
  export default text;
}
