import { useState } from 'preact/hooks';
import type { GraphNode } from '../../../src/model/model';
import { overview } from '../app/state';
import { t, tn } from '../l10n';
import { host } from '../rpc';
import { IconButton, Select, Spinner } from '../shared/controls';
import { ErrorNote } from '../shared/error-note';
import { Name } from '../shared/name';
import { useRemote } from '../shared/remote';
import { Split } from '../shared/split';
import { visible } from '../shared/text';
import { persisted } from '../vscode';
import { Canvas } from './canvas';
import { NodeDetail } from './node-detail';
import { NodeList } from './node-list';

/** One step of the way down: the path the engine knows and the label the user saw. */
interface Step {
  path: string;
  label: string;
}

const root = persisted('graph.root', '');
const trail = persisted<Step[]>('graph.trail', []);
const asList = persisted('graph.list', false);
const share = persisted('graph.share', 0.32);

/** Operators and what flows between them, one level at a time. */
export function Graph() {
  const roots = overview.value?.graphRoots ?? [];
  const current = roots.find((one) => one.id === root.value) ?? roots[0];
  const steps = current && root.value === current.id ? trail.value : [];
  const path = steps.at(-1)?.path ?? '';
  const level = useRemote(current ? () => host.graph(current.id, path) : undefined, [current?.id, path]);
  const [chosen, setChosen] = useState<GraphNode | undefined>(undefined);
  if (!current) return null;

  const go = (to: Step[]): void => {
    root.value = current.id;
    trail.value = to;
    setChosen(undefined);
  };
  const open = (node: GraphNode): void => {
    if (node.path !== undefined) go([...steps, { path: node.path, label: node.label }]);
  };
  const value = level.pending ? undefined : level.value;
  const listed = asList.value || (value !== undefined && value.layout === undefined);

  return (
    <div class="graph">
      <div class="toolbar">
        {roots.length > 1 ? (
          <Select
            ariaLabel={t('Graph')}
            value={current.id}
            options={roots.map((one) => ({ value: one.id, label: visible(one.label) }))}
            onChange={(id) => {
              root.value = id;
              trail.value = [];
              setChosen(undefined);
            }}
          />
        ) : null}
        <nav aria-label={t('Levels')} class="crumbs">
          <ol>
            {[{ path: '', label: current.label }, ...steps].map((step, i) => (
              <li key={i}>
                {i === steps.length ? (
                  <span aria-current="page">
                    <Name text={step.label} title />
                  </span>
                ) : (
                  <button type="button" class="link" onClick={() => go(steps.slice(0, i))}>
                    <Name text={step.label} title />
                  </button>
                )}
              </li>
            ))}
          </ol>
        </nav>
        <span class="spring" />
        {value ? <span class="dim">{tn(value.nodes.length, '{0} node', '{0} nodes')}</span> : null}
        <IconButton
          icon={listed ? 'graph' : 'list'}
          label={listed ? t('Show as a graph') : t('Show as a list')}
          disabled={value !== undefined && value.layout === undefined}
          onClick={() => {
            asList.value = !asList.value;
          }}
        />
      </div>
      {value?.omitted ? (
        <p class="strip">
          {tn(
            value.omitted,
            '{0} node is left out here: the level is too big to draw.',
            '{0} nodes are left out here: the level is too big to draw.',
          )}
        </p>
      ) : null}
      {value && value.layout === undefined && value.nodes.length > 0 ? (
        <p class="strip">{t('This level is too big to draw, so it is listed.')}</p>
      ) : null}
      {level.failure ? <ErrorNote failure={level.failure} retry={level.retry} /> : null}
      {value ? (
        <Split
          share={share}
          detailLabel={t('Details of the node')}
          detailTitle={chosen ? <Name text={chosen.label} mono title /> : undefined}
          detail={chosen ? <NodeDetail node={chosen} level={value} onOpen={open} onChoose={setChosen} /> : undefined}
          onClose={() => setChosen(undefined)}
        >
          {listed || value.layout === undefined ? (
            <NodeList level={value} chosen={chosen?.id} onChoose={setChosen} onOpen={open} />
          ) : (
            <Canvas
              key={`${current.id}/${path}`}
              level={value}
              layout={value.layout}
              chosen={chosen?.id}
              onChoose={setChosen}
              onOpen={open}
            />
          )}
        </Split>
      ) : level.failure ? null : (
        <Spinner label={t('Laying out…')} />
      )}
    </div>
  );
}
