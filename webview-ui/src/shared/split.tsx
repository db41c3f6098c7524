import type { Signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { t } from '../l10n';
import { IconButton } from './controls';

/** Below this width of the pane the detail takes the place of the list. */
const SIDE_BY_SIDE = 720;
const MIN_SHARE = 0.2;
const MAX_SHARE = 0.75;

interface SplitProps {
  children: ComponentChildren;
  detail?: ComponentChildren;
  detailTitle?: ComponentChildren;
  detailLabel: string;
  onClose: () => void;
  /** Share of the width that the detail takes. */
  share: Signal<number>;
}

/** A list and, beside it or in narrow panes in its place, the detail of what is chosen. */
export function Split({ children, detail, detailTitle, detailLabel, onClose, share }: SplitProps) {
  const outer = useRef<HTMLDivElement>(null);
  const [wide, setWide] = useState(true);
  useEffect(() => {
    const element = outer.current;
    if (!element) return;
    const observer = new ResizeObserver(() => setWide(element.clientWidth >= SIDE_BY_SIDE));
    observer.observe(element);
    setWide(element.clientWidth >= SIDE_BY_SIDE);
    return () => observer.disconnect();
  }, []);

  const resize = (value: number): void => {
    share.value = Math.min(MAX_SHARE, Math.max(MIN_SHARE, value));
  };
  const drag = (event: PointerEvent): void => {
    const element = outer.current;
    const sash = event.currentTarget as HTMLElement;
    if (!element) return;
    sash.setPointerCapture(event.pointerId);
    const box = element.getBoundingClientRect();
    const move = (to: PointerEvent): void => resize((box.right - to.clientX) / box.width);
    sash.addEventListener('pointermove', move);
    sash.addEventListener('lostpointercapture', () => sash.removeEventListener('pointermove', move), { once: true });
    event.preventDefault();
  };

  return (
    <div class="split" ref={outer}>
      <div class="split-main" hidden={detail !== undefined && !wide}>
        {children}
      </div>
      {detail === undefined ? null : (
        <>
          {wide ? (
            <div
              class="sash"
              role="separator"
              tabIndex={0}
              aria-orientation="vertical"
              aria-label={t('Resize')}
              aria-valuenow={Math.round(share.value * 100)}
              aria-valuemin={MIN_SHARE * 100}
              aria-valuemax={MAX_SHARE * 100}
              onPointerDown={drag}
              onKeyDown={(event) => {
                if (event.key === 'ArrowLeft') resize(share.value + 0.03);
                else if (event.key === 'ArrowRight') resize(share.value - 0.03);
                else return;
                event.preventDefault();
              }}
            />
          ) : null}
          <aside
            class="split-detail"
            aria-label={detailLabel}
            style={wide ? { flexBasis: `${share.value * 100}%` } : { flexBasis: '100%' }}
            onKeyDown={(event) => {
              if (event.key === 'Escape') onClose();
            }}
          >
            <header class="detail-header">
              {wide ? null : <IconButton icon="back" label={t('Back')} onClick={onClose} />}
              <h2 class="detail-title">{detailTitle}</h2>
              {wide ? <IconButton icon="close" label={t('Close')} onClick={onClose} /> : null}
            </header>
            <div class="detail-body">{detail}</div>
          </aside>
        </>
      )}
    </div>
  );
}
