import { useEffect, useId, useMemo, useRef, useState } from 'preact/hooks';
import type { DisassemblyRow, DisassemblySlice } from '../../../src/engine/contract';
import { t, tn } from '../l10n';
import { failureOf, host } from '../rpc';
import { Select, Spinner } from '../shared/controls';
import { ErrorNote } from '../shared/error-note';
import { Name } from '../shared/name';
import { exact, hexOffset } from '../shared/numbers';
import { PagedRows } from '../shared/paged';
import { useRemote } from '../shared/remote';
import { visible } from '../shared/text';
import { useVirtual } from '../shared/virtual';

/** What to show: a member (the first if left out), and where to go in it. */
export interface Place {
  member?: string;
  offset?: number;
}

const ROW = 20;
const PAGE = 200;
const DEEPEST_INDENT = 12;

/** Opcode by opcode, with comments; opens at an offset. */
export function Disassembly({ place, onMember }: { place: Place; onMember: (member: string) => void }) {
  const first = useRemote(
    () =>
      host.disassembly({
        count: PAGE,
        ...(place.member ? { member: place.member } : {}),
        ...(place.offset === undefined ? {} : { offset: place.offset }),
      }),
    [place.member, place.offset],
  );
  if (first.failure) return <ErrorNote failure={first.failure} retry={first.retry} />;
  const slice = first.value;
  if (!slice) return <Spinner label={t('Reading…')} />;
  return (
    <div class="disassembly">
      <div class="toolbar">
        {slice.members.length > 1 ? (
          <Select
            ariaLabel={t('Part of the file')}
            value={slice.member}
            options={slice.members.map((member) => ({
              value: member,
              label: member ? visible(member) : t('the file itself'),
            }))}
            onChange={onMember}
          />
        ) : slice.member ? (
          <Name text={slice.member} mono title />
        ) : null}
        <span class="dim">{tn(slice.total, '{0} opcode', '{0} opcodes')}</span>
      </div>
      <Lines key={slice.member} slice={slice} offset={place.offset} />
    </div>
  );
}

function Lines({ slice, offset }: { slice: DisassemblySlice; offset?: number }) {
  const scroller = useRef<HTMLDivElement>(null);
  const id = useId();
  const [active, setActive] = useState(-1);
  const { member, total } = slice;
  const rows = useMemo(
    () =>
      new PagedRows<DisassemblyRow>(
        async (start, count) => (await host.disassembly({ ...(member ? { member } : {}), start, count })).rows,
        failureOf,
        PAGE,
      ),
    // A new answer may be of the file as it is now.
    [slice],
  );
  useEffect(() => () => rows.dispose(), [rows]);
  rows.version.value;
  const virtual = useVirtual({ count: total, size: ROW, scroller, overscan: 12 });
  const top = virtual.items.at(0)?.index ?? 0;
  const bottom = virtual.items.at(-1)?.index ?? -1;
  useEffect(() => rows.need(top, bottom + 1), [rows, top, bottom]);

  // The slice that came with the offset says at which row that is.
  const target = offset === undefined ? -1 : targetRow(slice, offset);
  useEffect(() => {
    if (target < 0) return;
    setActive(target);
    virtual.scrollTo(target, 'center');
  }, [target, slice]);

  const move = (to: number): void => {
    const next = Math.max(0, Math.min(total - 1, to));
    setActive(next);
    virtual.scrollTo(next);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.altKey || event.metaKey || event.ctrlKey) return;
    const steps: Record<string, number> = {
      ArrowDown: active + 1,
      ArrowUp: active - 1,
      PageDown: active + virtual.fitting,
      PageUp: active - virtual.fitting,
      Home: 0,
      End: total - 1,
    };
    if (!(event.key in steps)) return;
    move(steps[event.key]);
    event.preventDefault();
  };

  if (rows.failure) return <ErrorNote failure={rows.failure} />;
  return (
    <div
      class="opcodes mono"
      ref={scroller}
      role="listbox"
      tabIndex={0}
      aria-label={t('Opcodes')}
      aria-activedescendant={active >= top && active <= bottom ? `${id}-${active}` : undefined}
      onKeyDown={onKeyDown}
    >
      <div class="layer" role="presentation" style={{ height: `${virtual.extent}px` }}>
        {virtual.items.map(({ index, start }) => {
          const row = rows.row(index);
          return (
            <div
              key={index}
              id={`${id}-${index}`}
              role="option"
              aria-selected={index === active}
              aria-posinset={index + 1}
              aria-setsize={total}
              class={`opcode-row ${index === active ? 'active' : ''} ${index === target ? 'target' : ''}`}
              style={{ transform: `translateY(${start}px)` }}
              onClick={() => setActive(index)}
            >
              {row ? (
                <>
                  <span class="offset" title={exact(row.offset)}>
                    {hexOffset(row.offset)}
                  </span>
                  <span class="opcode" style={{ '--level': Math.min(row.depth, DEEPEST_INDENT) }}>
                    {row.opcode}
                  </span>
                  <span class="argument" title={visible(row.argument)}>
                    {visible(row.argument)}
                  </span>
                  {row.comment ? <span class="comment"># {visible(row.comment)}</span> : null}
                </>
              ) : (
                <span class="skeleton" />
              )}
            </div>
          );
        })}
      </div>
    </div>
  );
}

/** The row of the answer that holds the offset: the last one that does not begin after it. */
function targetRow(slice: DisassemblySlice, offset: number): number {
  let found = slice.start;
  slice.rows.forEach((row, i) => {
    if (row.offset <= offset) found = slice.start + i;
  });
  return found;
}
