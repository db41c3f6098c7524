/**
 * Source text that classes keep in their state and run when they are restored. The distributions of scipy.stats (since 1.6):
 * `rv_generic.__setstate__` runs `_parse_arg_template`, which is made from this pattern with the names of the shape parameters. The data of
 * statsmodels: `ModelData.__setstate__` hands `formula` to patsy or formulaic, which evaluate its terms as Python expressions.
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

/** Attributes of a state that are source text, run when an object of one of these packages is restored. */
export const SOURCE_ATTRIBUTES: ReadonlyMap<string, RegExp> = new Map([
  ['_parse_arg_template', /^/],
  ['formula', /^(statsmodels|patsy|formulaic)\./],
]);

/** Classes that only keep what is under such an attribute, and what it may be made from besides text: formulaic keeps formulas that it read. */
export const KEEPS_FORMULA: { keeper: RegExp; kept: RegExp } = {
  keeper: /^formulaic\.model_spec$/,
  kept: /^formulaic\.formula$/,
};

/** Longest formula that is looked at. */
const MAX_FORMULA = 65_536;
/** Functions of NumPy that formulas use, and text that is quoted for `Q`. */
const IN_FORMULAS =
  /\bQ\((?:"[^"\\]*"|'[^'\\]*')\)|\b(?:np|numpy|math)\.(?:log\w*|exp\w*|sqrt|cbrt|power|square|abs|absolute|sign|a?sinh?|a?cosh?|a?tanh?|arc\w+|floor|ceil|round|minimum|maximum|clip|where|isnan|pi|e)\b|(?<![\w.])\d[\d_]*\.?\d*(?:e[-+]?\d+)?/gi;
/** What leads from an expression to code: attributes, subscripts of text, statements, and built-in functions. */
const NO_FORMULA =
  /[\p{L}\p{N}_)\]"']\s*\.\s*[\p{L}_]|__|[`\\;{}]|\b(?:eval|exec|compile|open|input|print|breakpoint|help|exit|quit|getattr|setattr|delattr|vars|globals|locals|dir|type|super|object|map|filter|iter|next|import|lambda|for|while|yield|await|os|sys|subprocess|builtins|importlib)\b/u;

/** Whether the text of such an attribute is what the package itself writes. Names only stand where the package puts names, so it cannot do harm. */
export function isHonestSource(attribute: string, text: string): boolean {
  if (attribute === 'formula') return text.length <= MAX_FORMULA && !NO_FORMULA.test(text.replace(IN_FORMULAS, '1'));
  return attribute === '_parse_arg_template' && text.length <= MAX_TEMPLATE && TEMPLATE.test(text);
}
