import { refusalOfKind } from '../lowering/refused-kind';
import type { Model } from '../model/model';
import type { Overview } from './contract';
import { failureOf } from './failure';

/** Whether the hierarchy says more than that the file is one array or one plain value. */
function hasArchitecture({ root }: Model): boolean {
  return root.children.length > 0 || root.attributes.length > 0 || root.parameters.length > 1;
}

/** What the header and the Overview tab show. */
export function overviewOf(model: Model, name: string, bytes: number): Overview {
  const { summary } = model;
  const overview: Overview = {
    name,
    bytes,
    format: model.format,
    title: summary.title,
    facts: summary.facts,
    totals: summary.totals,
    snippets: summary.snippets ?? [],
    attributes: model.root.attributes,
    parameterRows: model.parameters.length,
    hasArchitecture: hasArchitecture(model),
    hasObjects: model.objects !== undefined,
    graphRoots: model.graph?.roots() ?? [],
    sources: (model.sources ?? []).map(({ path, language }) => ({ path, language })),
    signatures: model.signatures,
    warnings: model.warnings,
  };
  if (summary.subtitle !== undefined) overview.subtitle = summary.subtitle;
  if (summary.producer !== undefined) overview.producer = summary.producer;
  const noPrediction = model.noPrediction ?? refusalOfKind(model);
  if (noPrediction !== undefined) overview.noPrediction = noPrediction;
  if (model.error) overview.error = failureOf(model.error);
  return overview;
}
