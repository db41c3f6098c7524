import { useMemo } from 'preact/hooks';
import { t } from '../l10n';
import { CopyButton } from './copy';
import { type Token, tokenize } from './python-tokens';
import { visibleLines } from './text';

export function Tokens({ tokens }: { tokens: Token[] }) {
  return (
    <>
      {tokens.map((token, i) =>
        token.kind === 'text' ? (
          token.text
        ) : (
          <span key={i} class={`tok-${token.kind}`}>
            {token.text}
          </span>
        ),
      )}
    </>
  );
}

/** Python-like text inside a line. */
export function InlineCode({ text, language = 'python' }: { text: string; language?: string }) {
  const lines = useMemo(() => tokenize(visibleLines(text), language), [text, language]);
  return (
    <code class="mono" dir="ltr">
      {lines.map((tokens, i) => (
        <span key={i}>
          {i > 0 ? '\n' : null}
          <Tokens tokens={tokens} />
        </span>
      ))}
    </code>
  );
}

/** A short block of code with a copy button. */
export function CodeBlock({ code, language, label }: { code: string; language: string; label: string }) {
  return (
    <figure class="code-block" aria-label={label}>
      <pre tabIndex={0} role="group" aria-label={label}>
        <InlineCode text={code} language={language} />
      </pre>
      <CopyButton text={code} label={t('Copy')} />
    </figure>
  );
}
