import { useMemo, useRef } from 'preact/hooks';
import { overview } from '../app/state';
import { t, tn } from '../l10n';
import { host } from '../rpc';
import { Tokens } from '../shared/code';
import { Select, Spinner } from '../shared/controls';
import { CopyButton } from '../shared/copy';
import { ErrorNote } from '../shared/error-note';
import { Name } from '../shared/name';
import { tokenize } from '../shared/python-tokens';
import { useRemote } from '../shared/remote';
import { visible, visibleLines } from '../shared/text';
import { useVirtual } from '../shared/virtual';
import { persisted } from '../vscode';

const LINE = 19;
const chosen = persisted('source.path', '');
const scroll = persisted('source.scroll', 0);

/** Texts that the file holds: code, vocabularies. */
export function Source() {
  const sources = overview.value?.sources ?? [];
  const path = sources.find((source) => source.path === chosen.value)?.path ?? sources[0]?.path ?? '';
  const text = useRemote(path ? () => host.source(path) : undefined, [path]);
  return (
    <div class="source">
      <div class="toolbar">
        {sources.length > 1 ? (
          <Select
            ariaLabel={t('File')}
            value={path}
            options={sources.map((source) => ({ value: source.path, label: visible(source.path) }))}
            onChange={(value) => {
              chosen.value = value;
              scroll.value = 0;
            }}
          />
        ) : (
          <Name text={path} mono />
        )}
        <span class="spring" />
        {text.value ? <CopyButton text={text.value.text} label={t('Copy')} /> : null}
      </div>
      {text.failure ? <ErrorNote failure={text.failure} retry={text.retry} /> : null}
      {text.value ? (
        <Lines key={path} text={text.value.text} language={text.value.language} />
      ) : text.pending ? (
        <Spinner label={t('Reading…')} />
      ) : null}
    </div>
  );
}

/** Longest line that is coloured and shown; minified JSON comes in one line of megabytes. */
const LONGEST_LINE = 5000;

function Lines({ text, language }: { text: string; language: string }) {
  const scroller = useRef<HTMLDivElement>(null);
  const lines = useMemo(() => {
    const shown = visibleLines(text)
      .split('\n')
      .map((line) =>
        line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)}… (+${line.length - LONGEST_LINE})` : line,
      )
      .join('\n');
    return tokenize(shown, language);
  }, [text, language]);
  const virtual = useVirtual({ count: lines.length, size: LINE, scroller, overscan: 20, initialOffset: scroll.peek() });
  const widest = useMemo(
    () =>
      lines.reduce(
        (most, line) =>
          Math.max(
            most,
            line.reduce((sum, token) => sum + token.text.length, 0),
          ),
        0,
      ),
    [lines],
  );
  return (
    <div
      class="code-lines mono"
      ref={scroller}
      role="group"
      tabIndex={0}
      aria-label={tn(lines.length, '{0} line', '{0} lines')}
      style={{ '--digits': String(lines.length).length, '--widest': widest }}
      onScroll={(event) => {
        scroll.value = event.currentTarget.scrollTop;
      }}
    >
      <div class="layer" style={{ height: `${virtual.extent}px` }}>
        {virtual.items.map(({ index, start }) => (
          <div key={index} class="code-line" style={{ transform: `translateY(${start}px)` }}>
            <span class="line-number" aria-hidden="true">
              {index + 1}
            </span>
            <code>
              <Tokens tokens={lines[index]} />
            </code>
          </div>
        ))}
      </div>
    </div>
  );
}
