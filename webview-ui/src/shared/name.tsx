import { visible, visibleParts } from './text';

/** Text that comes from a file: isolated from its surroundings' direction, with what would not show escaped. */
export function Name({ text, title, mono = false }: { text: string; title?: boolean; mono?: boolean }) {
  const parts = visibleParts(text);
  return (
    <bdi class={mono ? 'name mono' : 'name'} title={title ? visible(text) : undefined}>
      {parts.length === 1 && !parts[0].escaped
        ? parts[0].text
        : parts.map((part, i) =>
            part.escaped ? (
              <span key={i} class="escape">
                {part.text}
              </span>
            ) : (
              part.text
            ),
          )}
    </bdi>
  );
}

const TAIL = /(?:^|[./[:])[^./[:]{1,24}$/;

/** A long dotted name whose end, which tells names apart, stays when there is no room for all of it. */
export function LongName({ text }: { text: string }) {
  const tail = TAIL.exec(text);
  if (!tail || tail.index === 0 || visible(text) !== text) {
    return (
      <span class="long-name" title={visible(text)}>
        <span class="long-head">
          <Name text={text} mono />
        </span>
      </span>
    );
  }
  return (
    <bdi class="long-name name mono" title={text}>
      <span class="long-head">{text.slice(0, tail.index)}</span>
      <span class="long-tail">{text.slice(tail.index)}</span>
    </bdi>
  );
}
