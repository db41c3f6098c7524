import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';

/** Folders of the extension that a webview may load from. Nothing of the workspace is among them. */
export function resourceRoots(extension: vscode.Uri): vscode.Uri[] {
  return [vscode.Uri.joinPath(extension, 'dist'), vscode.Uri.joinPath(extension, 'media')];
}

/** Hash of the empty text: the controls' library adds one empty style element to find out what the browser can do. */
const EMPTY_STYLE = "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='";

/** The page of the view: a script and a style sheet, no data. What the view shows it asks for. */
export function viewHtml(webview: vscode.Webview, extension: vscode.Uri): string {
  const nonce = randomBytes(18).toString('base64url');
  const asset = (name: string) =>
    attribute(webview.asWebviewUri(vscode.Uri.joinPath(extension, 'dist', name)).toString());
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src ${webview.cspSource} ${EMPTY_STYLE}`,
    `font-src ${webview.cspSource}`,
  ].join('; ');
  return `<!DOCTYPE html>
<html lang="${attribute(vscode.env.language)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${attribute(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Modelglass</title>
<link rel="stylesheet" href="${asset('webview.css')}">
</head>
<body>
<div id="app"></div>
<script nonce="${nonce}" src="${asset('webview.js')}"></script>
</body>
</html>`;
}

function attribute(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
