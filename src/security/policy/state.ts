/**
 * Source text that classes keep in their state and run when they are restored. So far only the distributions of scipy.stats (since 1.6):
 * `rv_generic.__setstate__` runs `_parse_arg_template`, which is made from this pattern with the names of the shape parameters.
 */
const SHAPES = '((?:[A-Za-z_][A-Za-z_0-9]*, )*)';
const TEMPLATE = new RegExp(
  `^\\ndef _parse_args\\(self, ${SHAPES} (loc=0(?:, scale=1)?)\\):\\n` +
    `    return \\(${SHAPES}\\), (loc, (?:scale|1))\\n\\n` +
    `def _parse_args_rvs\\(self, ${SHAPES} (loc=0(?:, scale=1)?), size=None\\):\\n` +
    `    return self\\._argcheck_rvs\\(${SHAPES} (loc, (?:scale|1)), size=size\\)\\n\\n` +
    `def _parse_args_stats\\(self, ${SHAPES} (loc=0(?:, scale=1)?), moments='mv'\\):\\n` +
    `    return \\(${SHAPES}\\), (loc, (?:scale|1)), moments\\n$`,
);

/** Longest template that is looked at; a distribution has a handful of parameters. */
const MAX_TEMPLATE = 4096;

/** Attributes of a state that are source text, run when the object is restored. */
export const SOURCE_ATTRIBUTES: ReadonlySet<string> = new Set(['_parse_arg_template']);

/** Whether the text of such an attribute is what the package itself writes. Names only stand where the package puts names, so it cannot do harm. */
export function isHonestSource(attribute: string, text: string): boolean {
  return attribute === '_parse_arg_template' && text.length <= MAX_TEMPLATE && TEMPLATE.test(text);
}
