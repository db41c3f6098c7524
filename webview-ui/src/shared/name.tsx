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
