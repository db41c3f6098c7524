import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { GraphLayout } from '../../../src/engine/contract';
import type { GraphLevel, GraphNode } from '../../../src/model/model';
import { t, tn } from '../l10n';
import { IconButton } from '../shared/controls';
import { Icon } from '../shared/icons';
import { Name } from '../shared/name';
import { visible } from '../shared/text';
import { type Box, boxOf, curve, fitView, nearest, type View, zoomAt } from './geometry';

interface CanvasProps {
  level: GraphLevel;
  layout: GraphLayout;
  chosen?: string;
  onChoose: (node: GraphNode) => void;
  onOpen: (node: GraphNode) => void;
}

const MARGIN = 200;

/** The drawn level: drag or scroll to move, Ctrl and wheel to zoom, arrow keys to walk from node to node. */
export function Canvas({ level, layout, chosen, onChoose, onOpen }: CanvasProps) {
  const outer = useRef<HTMLDivElement>(null);
  const [size, setSize] = useState({ width: 0, height: 0 });
  const [view, setView] = useState<View | undefined>(undefined);
  const [focused, setFocused] = useState<string | undefined>(undefined);
  const boxes = useMemo(() => new Map(level.nodes.map((node) => [node.id, boxOf(layout, node.id)])), [level, layout]);

  useLayoutEffect(() => {
    const element = outer.current;
    if (!element) return;
    const measure = (): void => setSize({ width: element.clientWidth, height: element.clientHeight });
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    measure();
    return () => observer.disconnect();
  }, []);
  const shown = view ?? fitView(layout, size);
  const state = useRef(shown);
  state.current = shown;

  useEffect(() => {
    const element = outer.current;
    if (!element) return;
    // Not passive: the page must not scroll or zoom itself.
    const wheel = (event: WheelEvent): void => {
      event.preventDefault();
      const box = element.getBoundingClientRect();
      const unit = event.deltaMode === 1 ? 16 : 1;
      if (event.ctrlKey || event.metaKey) {
        setView(
          zoomAt(
            state.current,
            Math.exp(-event.deltaY * unit * 0.0025),
            event.clientX - box.left,
            event.clientY - box.top,
          ),
        );
      } else {
        const [dx, dy] = event.shiftKey ? [event.deltaY, event.deltaX] : [event.deltaX, event.deltaY];
        setView({ ...state.current, x: state.current.x - dx * unit, y: state.current.y - dy * unit });
      }
    };
    element.addEventListener('wheel', wheel, { passive: false });
    return () => element.removeEventListener('wheel', wheel);
  }, []);

  const drag = (event: PointerEvent): void => {
    const element = outer.current;
    if (!element || event.button !== 0 || (event.target as Element).closest('button')) return;
    element.setPointerCapture(event.pointerId);
    let { clientX, clientY } = event;
    const move = (to: PointerEvent): void => {
      setView({
        ...state.current,
        x: state.current.x + to.clientX - clientX,
        y: state.current.y + to.clientY - clientY,
      });
      ({ clientX, clientY } = to);
    };
    element.addEventListener('pointermove', move);
    element.addEventListener('lostpointercapture', () => element.removeEventListener('pointermove', move), {
      once: true,
    });
  };

  const zoom = (factor: number): void => setView(zoomAt(state.current, factor, size.width / 2, size.height / 2));
  const bringIntoView = (box: Box): void => {
    const { k } = state.current;
    let { x, y } = state.current;
    if (box.x * k + x < 20) x = 20 - box.x * k;
    if (box.y * k + y < 20) y = 20 - box.y * k;
    if ((box.x + box.width) * k + x > size.width - 20) x = size.width - 20 - (box.x + box.width) * k;
    if ((box.y + box.height) * k + y > size.height - 20) y = size.height - 20 - (box.y + box.height) * k;
    setView({ k, x, y });
  };
  const focusNode = (id: string): void => {
    const box = boxes.get(id);
    if (box) bringIntoView(box);
    setFocused(id);
    requestAnimationFrame(() =>
      (outer.current?.querySelector(`[data-node="${CSS.escape(id)}"]`) as HTMLElement | null)?.focus(),
    );
  };

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const directions: Record<string, [number, number]> = {
      ArrowUp: [0, -1],
      ArrowDown: [0, 1],
      ArrowLeft: [-1, 0],
      ArrowRight: [1, 0],
    };
    const from = focused ?? level.nodes[0]?.id;
    if (event.key in directions && from !== undefined) {
      const next = nearest(boxes, from, directions[event.key]);
      if (next !== undefined) focusNode(next);
    } else if (event.key === '+' || event.key === '=') zoom(1.25);
    else if (event.key === '-') zoom(0.8);
    else if (event.key === '0') setView(undefined);
    else return;
    event.preventDefault();
  };

  // Only what is in sight (and what has the focus) is in the page.
  const inSight = (box: Box): boolean =>
    (box.x + box.width) * shown.k + shown.x > -MARGIN &&
    box.x * shown.k + shown.x < size.width + MARGIN &&
    (box.y + box.height) * shown.k + shown.y > -MARGIN &&
    box.y * shown.k + shown.y < size.height + MARGIN;
  const tabStop = focused !== undefined && boxes.has(focused) ? focused : level.nodes[0]?.id;

  return (
    <div
      class="canvas"
      ref={outer}
      onPointerDown={drag}
      onKeyDown={onKeyDown}
      role="group"
      aria-label={t('Graph; arrow keys walk from node to node')}
    >
      <div class="canvas-layer" style={{ transform: `translate(${shown.x}px, ${shown.y}px) scale(${shown.k})` }}>
        <svg width={layout.width} height={layout.height} aria-hidden="true">
          <defs>
            <marker
              id="arrow"
              viewBox="0 0 8 8"
              refX="7"
              refY="4"
              markerWidth="7"
              markerHeight="7"
              orient="auto-start-reverse"
            >
              <path d="M0 1L7 4L0 7z" />
            </marker>
          </defs>
          {layout.edges.map((edge, i) => (
            <path
              key={i}
              class={chosen !== undefined && (edge.from === chosen || edge.to === chosen) ? 'edge chosen' : 'edge'}
              d={curve(edge.points)}
              marker-end="url(#arrow)"
            />
          ))}
        </svg>
        {level.nodes.map((node) => {
          const box = boxes.get(node.id);
          if (!box || (!inSight(box) && node.id !== tabStop)) return null;
          return (
            <button
              key={node.id}
              type="button"
              data-node={node.id}
              class={`node ${node.kind} ${node.id === chosen ? 'chosen' : ''}`}
              style={{ left: `${box.x}px`, top: `${box.y}px`, width: `${box.width}px`, height: `${box.height}px` }}
              tabIndex={node.id === tabStop ? 0 : -1}
              title={[visible(node.label), node.size ? tn(node.size, '{0} operator', '{0} operators') : '']
                .filter(Boolean)
                .join(' · ')}
              onFocus={() => setFocused(node.id)}
              onClick={() => onChoose(node)}
              onDblClick={() => onOpen(node)}
              onKeyDown={(event) => {
                if (event.key === 'Enter' && node.path !== undefined) {
                  event.preventDefault();
                  onOpen(node);
                }
              }}
            >
              {/* The engine's layout leaves room for these lines and no others. */}
              <span class="node-label">
                <Name text={node.label} />
              </span>
              {node.kind === 'group' ? <Icon name="chevron" /> : null}
              {node.op && node.op !== node.label ? (
                <span class="node-second">
                  <Name text={node.op} />
                </span>
              ) : null}
              {node.parameters?.[0] === undefined ? null : (
                <span class="node-second">
                  <Name text={node.parameters[0]} />
                </span>
              )}
            </button>
          );
        })}
      </div>
      <div class="canvas-tools">
        <IconButton icon="plus" label={t('Zoom in')} onClick={() => zoom(1.25)} />
        <IconButton icon="minus" label={t('Zoom out')} onClick={() => zoom(0.8)} />
        <IconButton icon="fit" label={t('Fit')} onClick={() => setView(undefined)} />
      </div>
    </div>
  );
}
