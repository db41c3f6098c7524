import * as assert from 'node:assert/strict';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import * as vscode from 'vscode';
import { activeInput, closeAll, extension, file, until } from './editor';

describe('the extension', () => {
  before(async () => {
    await extension().activate();
  });
  afterEach(closeAll);

  it('registers every command of its manifest', async () => {
    const manifest = extension().packageJSON as { contributes: { commands: { command: string }[] } };
    const registered = new Set(await vscode.commands.getCommands(true));
    const missing = manifest.contributes.commands.map((c) => c.command).filter((command) => !registered.has(command));
    assert.deepEqual(missing, []);
  });

  it('is the default editor of a pickle', async () => {
    await vscode.commands.executeCommand('vscode.open', file('random_forest_model.pkl'));
    const input = await until('a model editor', () => activeInput(vscode.TabInputCustom));
    assert.equal(input.viewType, 'modelglass.model');
  });

  it('hands text named .pkl to the text editor, in the same tab', async () => {
    await vscode.commands.executeCommand('vscode.open', file('config.pkl'), { preview: false });
    await until('a text editor', () => activeInput(vscode.TabInputText));
    const tabs = vscode.window.tabGroups.all.flatMap((group) => group.tabs);
    assert.equal(tabs.length, 1);
    assert.equal(tabs[0]?.isPreview, false);
  });

  it('shows text named .pkl as a model editor when asked to', async () => {
    await vscode.commands.executeCommand('modelglass.open', file('config.pkl'));
    await until('a model editor', () => activeInput(vscode.TabInputCustom));
    await new Promise((resolve) => setTimeout(resolve, 1500));
    assert.ok(activeInput(vscode.TabInputCustom), 'it was handed back all the same');
  });

  it('reopens a model as text', async () => {
    await vscode.commands.executeCommand('vscode.open', file('notes.pth'));
    await until('a model editor', () => activeInput(vscode.TabInputCustom));
    await vscode.commands.executeCommand('modelglass.openAsText');
    await until('a text editor', () => activeInput(vscode.TabInputText));
  });

  it('opens a SavedModel by its folder', async () => {
    await vscode.commands.executeCommand('modelglass.openSavedModel', file('keras_dense_model'));
    const input = await until('a model editor', () => activeInput(vscode.TabInputCustom));
    assert.ok(input.uri.path.endsWith('/keras_dense_model/saved_model.pb'));
  });

  it('scans a folder: problems for what is dangerous, none for what is safe, and a report', async () => {
    const results = await vscode.commands.executeCommand<{ file: string; verdict: string }[]>(
      'modelglass.scan',
      file(''),
    );
    const verdicts = new Map(results.map((result) => [path.basename(result.file), result.verdict]));
    assert.equal(verdicts.get('suspicious_example.pkl'), 'dangerous');
    assert.equal(verdicts.get('random_forest_model.pkl'), 'safe');
    const [problem] = vscode.languages.getDiagnostics(file('suspicious_example.pkl'));
    assert.equal(problem?.severity, vscode.DiagnosticSeverity.Error);
    assert.match(problem?.message ?? '', /os\.system/);
    assert.deepEqual(vscode.languages.getDiagnostics(file('random_forest_model.pkl')), []);
    const report = vscode.window.activeTextEditor?.document;
    assert.equal(report?.languageId, 'markdown');
    assert.match(report?.getText() ?? '', /suspicious_example\.pkl/);
  });

  it('answers language models', async () => {
    const ask = async (name: string, input: object) => {
      const { content } = await vscode.lm.invokeTool(name, { input, toolInvocationToken: undefined });
      const [part] = content;
      assert.ok(part instanceof vscode.LanguageModelTextPart);
      return JSON.parse(part.value) as Record<string, unknown>;
    };
    assert.equal(
      (await ask('modelglass_inspect', { path: 'random_forest_model.pkl' }))['title'],
      'RandomForestClassifier',
    );
    assert.equal((await ask('modelglass_scan', { path: 'suspicious_example.pkl' }))['verdict'], 'dangerous');
    const answer = await ask('modelglass_predict', {
      path: 'random_forest_model.pkl',
      inputs: { X: [[1, -1, 0.5, 1]] },
      method: 'predict_proba',
    });
    assert.deepEqual((answer['outputs'] as { data: number[] }[])[0]?.data, [0.19, 0.81]);
    assert.ok('error' in (await ask('modelglass_inspect', { path: '../../etc/passwd' })));
  });

  it('survives a file that is replaced and deleted while it is open', async () => {
    const target = file('changing.pkl');
    const before = await fs.readFile(target.fsPath);
    await vscode.commands.executeCommand('vscode.open', target);
    await until('a model editor', () => activeInput(vscode.TabInputCustom));
    await fs.writeFile(target.fsPath, before.subarray(0, 100));
    await fs.rm(target.fsPath);
    await fs.writeFile(target.fsPath, before);
    await vscode.commands.executeCommand('modelglass.reload', target);
    assert.ok(activeInput(vscode.TabInputCustom));
  });
});
