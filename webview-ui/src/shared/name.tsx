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

/** Most characters of a name's end that stay. */
const TAIL = 20;

/** Where the end of a name begins that stays: at a separator where there is one. 0 if the name is too short to be parted. */
function tailStart(text: string): number {
  for (let i = Math.max(1, text.length - TAIL); i < text.length - 1; i++) if ('./[:'.includes(text[i])) return i;
  return text.length > 2 * TAIL ? text.length - TAIL : 0;
}

/** A long dotted name whose end, which tells names apart, stays when there is no room for all of it. */
export function LongName({ text, mono = true }: { text: string; mono?: boolean }) {
  const start = visible(text) === text ? tailStart(text) : 0;
  if (start === 0) {
    return (
      <span class="long-name" title={visible(text)}>
        <span class="long-head">
          <Name text={text} mono={mono} />
        </span>
      </span>
    );
  }
  return (
    <bdi class={mono ? 'long-name name mono' : 'long-name name'} title={text}>
      <span class="long-head">{text.slice(0, start)}</span>
      <span class="long-tail">{text.slice(start)}</span>
    </bdi>
  );
}
