import { counted } from '../../model/counted';
import type {
  Fact,
  Finding,
  Model,
  PickleSection,
  Signature,
  SourceText,
  Summary,
  TensorSpec,
} from '../../model/model';
import type { Value } from '../../pickle/values';
import type { ModelInput } from '../format';
import type { TorchArchive } from './archive';
import { inferKinds } from './infer/kinds';
import { collapseRepeats } from './infer/repeats';
import { TorchModel } from './model';
import { ParameterCollector } from './parameters';
import { TensorReader } from './pickled-tensor';
import { classGlobal, shortName } from './python-class';
import type { Expression, FunctionDefinition } from './script/ast';
import { ScriptCode, unmangled } from './script/code';
import { ScriptGraph } from './script/graph';
import { expressionText } from './script/text';
import type { TorchTensor } from './tensor';
import { TreeBuilder } from './tree';
import { entriesOf } from './walk';
import { openZipContainer } from './zip';

/** A TorchScript archive: what `TorchModel` has, its code, and the constants that the code names. */
export class ScriptModel extends TorchModel {
  constructor(
    parts: ConstructorParameters<typeof TorchModel>[0],
    /** The code by qualified class and function names. */
    readonly code: ScriptCode,
    /** `CONSTANTS.c0`, `c1`, … of the code, in order. */
    readonly constants: readonly Value[],
    /** Version of the operator set that the code was written for (`version` of the archive). */
    readonly operatorVersion: number,
  ) {
    super(parts);
  }
}

/** Whether an archive with `data.pkl` is TorchScript: it holds code, constants or bytecode. */
export function isTorchScript(archive: TorchArchive): boolean {
  return archive.has('constants.pkl') || archive.has('bytecode.pkl') || archive.paths('code/').length > 0;
}

/**
 * Opens a TorchScript archive (1.4 and later; `.ptl` of the lite interpreter alike): the module tree of `data.pkl`, the constants, the
 * code and its graph. Code is parsed when a graph or signature needs it.
 */
export function openTorchScript(input: ModelInput, archive: TorchArchive): Model {
  const container = openZipContainer(input, archive);
  const code = new ScriptCode(archive);
  const warnings: Finding[] = [];
  const pickles: PickleSection[] = [...container.pickles];
  const collector = new ParameterCollector(container.storages.byteOrder);
  const beside: { name: string; value: Value }[] = [];
  let constants: Value[] = [];
  let { tensors: reader } = container;
  if (archive.has('constants.pkl')) {
    const held = openZipContainer(input, archive, 'constants.pkl', 'constants/', 'constants/');
    pickles.push(...held.pickles);
    constants = entriesOf(held.root).map((e) => e.value);
    if (constants.length > 0)
      beside.push({ name: 'CONSTANTS', value: new Map(constants.map((value, i) => [`c${i}`, value])) });
    // One reader for both pickles: each storage is asked of the container whose pickle names it.
    const ofConstants = new Set<unknown>(held.main.events);
    const { tensors: ofModule } = container;
    reader = new TensorReader({
      storage: (value) => (ofConstants.has(value) ? held.tensors : ofModule).resolver.storage(value),
    });
  }
  const builder = new TreeBuilder(collector, reader, {
    roleOf: () => undefined,
    attributeKind(owner, name) {
      const cls = classGlobal(owner);
      const lists = cls?.path.startsWith('__torch__') ? code.declared(cls.path) : undefined;
      return lists?.parameters.has(name) ? 'parameter' : lists?.buffers.has(name) ? 'buffer' : undefined;
    },
  });
  const root = builder.build(container.root, beside);
  const held = root.children.find((child) => child.name === 'CONSTANTS');
  if (held) held.kind = 'constants of the code';
  for (const node of builder.declared) if (node !== root && node.kind === 'Module') builder.declared.delete(node);
  collapseRepeats(root, inferKinds(root, collector, builder.declared));

  const cls = classGlobal(container.root);
  // Until 1.4 tracing kept no class names: every module is torch.nn.Module.
  const nameless = cls !== undefined && unmangled(cls.path) === 'torch.nn.modules.module.Module';
  const name = nameless
    ? `Traced module (${counted(collector.table.length, 'tensor')})`
    : cls
      ? shortName(cls)
      : 'TorchScript';
  const traced = archive.has('traced_inputs.pkl')
    ? openZipContainer(input, archive, 'traced_inputs.pkl', 'traced_inputs/', 'traced_inputs/')
    : undefined;
  if (traced) pickles.push(...traced.pickles);
  let signatures: Signature[] = [];
  try {
    const examples = new Map(
      traced
        ? entriesOf(traced.root).map((e) => [e.name, entriesOf(e.value).map((x) => traced.tensors.read(x.value))])
        : [],
    );
    signatures = signaturesOf(cls ? code.methods(cls.path) : [], examples);
  } catch (error) {
    warnings.push({
      rule: 'script-syntax',
      severity: 'info',
      message: error instanceof Error ? error.message : String(error),
    });
  }
  const mobile = archive.has('bytecode.pkl');
  const facts: Fact[] = [...container.facts];
  if (cls) facts.push({ label: 'Class', value: unmangled(cls.path) });
  facts.push({
    label: 'Kind',
    value: mobile ? 'TorchScript for the lite interpreter' : traced ? 'TorchScript, traced' : 'TorchScript',
  });
  if (constants.length > 0) facts.push({ label: 'Constants', value: `${constants.length} in the code` });
  const files = code.files();
  facts.push({ label: 'Code', value: counted(files.length, 'file') });
  if (archive.paths('code/').some((path) => path.endsWith('.debug_pkl'))) {
    facts.push({
      label: 'Source map',
      value: 'present',
      note: 'The .debug_pkl members hold lines and paths of the original source.',
    });
  }
  const training = root.attributes.find((a) => a.name === 'training');
  if (training?.value === true)
    facts.push({
      label: 'Mode',
      value: 'training',
      note: 'Saved in training mode: dropout and batch norm behave differently than in eval().',
    });
  const summary: Summary = {
    title: name,
    subtitle: `TorchScript ${mobile ? 'for the lite interpreter' : 'module'}`,
    producer: { name: 'PyTorch' },
    facts,
    totals: collector.totals(),
    snippets: [{ label: 'Load', language: 'python', code: loadCode(input.name, mobile, signatures) }],
  };
  const model = new ScriptModel(
    {
      format: 'torchscript',
      summary,
      root,
      parameters: collector.table,
      warnings: [...container.warnings, ...warnings, ...collector.warnings],
      pickles,
      rootValue: container.root,
      reader,
      tensors: collector,
      sources: [...code.sources(), ...extraFiles(archive)],
      ...(container.error ? { error: container.error } : {}),
    },
    code,
    constants,
    Number.parseInt(container.facts.find((f) => f.label === 'Archive version')?.value ?? '3', 10) || 3,
  );
  model.signatures = signatures;
  const graph = new ScriptGraph(code, container.root, reader);
  if (graph.roots().length > 0) model.graph = graph;
  model.objects = { root: container.root };
  if (signatures.length === 0)
    model.noPrediction = 'The archive has no method with tensor inputs in its code, so there is nothing to call.';
  return model;
}

/** Text members that the author put beside the model (`extra/`). */
function extraFiles(archive: TorchArchive): SourceText[] {
  return archive
    .paths('extra/')
    .slice(0, 200)
    .map((path) => ({
      path,
      language: path.endsWith('.json') ? ('json' as const) : ('text' as const),
      text: () => archive.text(path) ?? '',
    }));
}

/** What can be called: `forward`, then other methods that take inputs. Traces keep their example inputs, which give shapes and types. */
export function signaturesOf(
  methods: readonly FunctionDefinition[],
  examples: ReadonlyMap<string, (TorchTensor | undefined)[]> = new Map(),
): Signature[] {
  const out: Signature[] = [];
  for (const method of [...methods].sort((a, b) => Number(b.name === 'forward') - Number(a.name === 'forward'))) {
    if (/^__\w+__$/.test(method.name)) continue;
    const parameters = method.parameters.filter((p, i) => !(i === 0 && p.name === 'self'));
    if (parameters.length === 0 && method.name !== 'forward') continue;
    const example = examples.get(method.name) ?? [];
    const inputs = parameters.map((p, i): TensorSpec => {
      const spec: TensorSpec = {
        name: p.name,
        dtype: p.annotation ? expressionText(p.annotation) : 'Tensor',
        shape: null,
      };
      const tensor = example[i];
      if (tensor) {
        spec.dtype = tensor.dtype;
        spec.shape = tensor.shape;
        spec.meaning = 'shape and type of the example that it was traced with';
      }
      if (p.default) spec.meaning = `default ${expressionText(p.default)}`;
      return spec;
    });
    out.push({ name: method.name, inputs, outputs: outputsOf(method.returns) });
  }
  return out;
}

function outputsOf(returns: Expression | undefined): TensorSpec[] {
  if (
    returns?.kind === 'subscript' &&
    returns.value.kind === 'name' &&
    returns.value.id === 'Tuple' &&
    returns.index.kind === 'tuple'
  ) {
    return returns.index.items.map((item, i) => ({ name: `output_${i}`, dtype: expressionText(item), shape: null }));
  }
  return [{ name: 'output', dtype: returns ? expressionText(returns) : 'Tensor', shape: null }];
}

function loadCode(name: string, mobile: boolean, signatures: readonly Signature[]): string {
  const inputs = signatures[0]?.inputs ?? [];
  const example = inputs
    .map((i) =>
      i.shape ? `torch.zeros(${i.shape.join(', ')}${i.dtype === 'float32' ? '' : `, dtype=torch.${i.dtype}`})` : i.name,
    )
    .join(', ');
  const note = mobile ? '# Written for the lite interpreter; archives that also hold code/ load here as well.\n' : '';
  return `import torch\n\n${note}# TorchScript runs its own code: load only files that you trust.\nmodel = torch.jit.load(${JSON.stringify(name)}, map_location="cpu").eval()\nwith torch.no_grad():\n    output = model(${example})\n`;
}
