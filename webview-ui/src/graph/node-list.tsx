import { useId, useMemo, useRef, useState } from 'preact/hooks';
import type { GraphLevel, GraphNode } from '../../../src/model/model';
import { t, tn } from '../l10n';
import { Name } from '../shared/name';
import { visible } from '../shared/text';
import { useVirtual } from '../shared/virtual';

const ROW = 24;

interface NodeListProps {
  level: GraphLevel;
  chosen?: string;
  onChoose: (node: GraphNode) => void;
  onOpen: (node: GraphNode) => void;
}

/** The same level as a list, in the order of the flow: what a screen reader reads, and what is too big to draw. */
export function NodeList({ level, chosen, onChoose, onOpen }: NodeListProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const id = useId();
  const [active, setActive] = useState(-1);
  const virtual = useVirtual({ count: level.nodes.length, size: ROW, scroller });
  const sources = useMemo(() => {
    const labels = new Map(level.nodes.map((node) => [node.id, node.label]));
    const found = new Map<string, string[]>();
    for (const edge of level.edges) {
      const list = found.get(edge.to) ?? [];
      if (list.length < 4) list.push(labels.get(edge.from) ?? edge.from);
      found.set(edge.to, list);
    }
    return found;
  }, [level]);

  const onKeyDown = (event: KeyboardEvent): void => {
    const steps: Record<string, number> = {
      ArrowDown: active + 1,
      ArrowUp: active - 1,
      PageDown: active + virtual.fitting,
      PageUp: active - virtual.fitting,
      Home: 0,
      End: level.nodes.length - 1,
    };
    const node = level.nodes[active];
    if (event.key in steps) {
      const next = Math.max(0, Math.min(level.nodes.length - 1, steps[event.key]));
      setActive(next);
      virtual.scrollTo(next);
    } else if (event.key === 'Enter' && node) {
      if (node.path === undefined) onChoose(node);
      else onOpen(node);
    } else if (event.key === ' ' && node) onChoose(node);
    else return;
    event.preventDefault();
  };

  return (
    <div
      class="node-list"
      ref={scroller}
      role="listbox"
      tabIndex={0}
      aria-label={t('Nodes')}
      aria-activedescendant={virtual.items.some((item) => item.index === active) ? `${id}-${active}` : undefined}
      onKeyDown={onKeyDown}
      onFocus={() => {
        if (active < 0 && level.nodes.length > 0) setActive(0);
      }}
    >
      <div class="layer" role="presentation" style={{ height: `${virtual.extent}px` }}>
        {virtual.items.map(({ index, start }) => {
          const node = level.nodes[index];
          if (!node) return null;
          const from = (sources.get(node.id) ?? []).map(visible).join(', ');
          return (
            <div
              key={index}
              id={`${id}-${index}`}
              role="option"
              aria-selected={node.id === chosen}
              aria-posinset={index + 1}
              aria-setsize={level.nodes.length}
              class={`node-row ${index === active ? 'active' : ''}`}
              style={{ transform: `translateY(${start}px)` }}
              onClick={() => {
                setActive(index);
                onChoose(node);
              }}
              onDblClick={() => onOpen(node)}
            >
              <span class={`node-dot ${node.kind}`} aria-hidden="true" />
              <Name text={node.label} title />
              {node.op && node.op !== node.label ? (
                <span class="dim">
                  <Name text={node.op} />
                </span>
              ) : null}
              {node.size ? <span class="tag">{tn(node.size, '{0} operator', '{0} operators')}</span> : null}
              {from ? <span class="dim from">← {from}</span> : null}
            </div>
          );
        })}
      </div>
    </div>
  );
}
