import type { GraphLevel, GraphNode } from '../../../src/model/model';
import { AttributeList } from '../app/overview/attributes';
import { showTab } from '../app/state';
import { t, tn } from '../l10n';
import { showParameters } from '../parameters/query';
import { Button } from '../shared/controls';
import { Name } from '../shared/name';

const SHOWN = 100;

interface NodeDetailProps {
  node: GraphNode;
  level: GraphLevel;
  onOpen: (node: GraphNode) => void;
  onChoose: (node: GraphNode) => void;
}

/** What one node is, what it owns, and what it is connected to. */
export function NodeDetail({ node, level, onOpen, onChoose }: NodeDetailProps) {
  const byId = new Map(level.nodes.map((one) => [one.id, one]));
  const before = level.edges.filter((edge) => edge.to === node.id);
  const after = level.edges.filter((edge) => edge.from === node.id);
  return (
    <>
      <dl class="facts">
        {node.op ? (
          <div>
            <dt>{t('Operator')}</dt>
            <dd>
              <Name text={node.op} mono />
            </dd>
          </div>
        ) : null}
        {node.size ? (
          <div>
            <dt>{t('Holds')}</dt>
            <dd>{tn(node.size, '{0} operator', '{0} operators')}</dd>
          </div>
        ) : null}
      </dl>
      {node.path === undefined ? null : (
        <Button kind="primary" onClick={() => onOpen(node)}>
          {t('Open')}
        </Button>
      )}
      {node.attributes && node.attributes.length > 0 ? (
        <section>
          <h3>{t('Attributes')}</h3>
          <AttributeList attributes={node.attributes} />
        </section>
      ) : null}
      {node.parameters && node.parameters.length > 0 ? (
        <section>
          <h3>{t('Parameters')}</h3>
          <ul class="links">
            {node.parameters.slice(0, SHOWN).map((name) => (
              <li key={name}>
                <button
                  type="button"
                  class="link"
                  onClick={() => {
                    showParameters({ filter: name, under: '' });
                    showTab('parameters');
                  }}
                >
                  <Name text={name} mono />
                </button>
              </li>
            ))}
          </ul>
        </section>
      ) : null}
      <Neighbours
        title={t('Comes from')}
        ids={before.map((edge) => [edge.from, edge.label])}
        byId={byId}
        onChoose={onChoose}
      />
      <Neighbours
        title={t('Goes to')}
        ids={after.map((edge) => [edge.to, edge.label])}
        byId={byId}
        onChoose={onChoose}
      />
    </>
  );
}

interface NeighboursProps {
  title: string;
  ids: [string, string | undefined][];
  byId: Map<string, GraphNode>;
  onChoose: (node: GraphNode) => void;
}

function Neighbours({ title, ids, byId, onChoose }: NeighboursProps) {
  if (ids.length === 0) return null;
  return (
    <section>
      <h3>{title}</h3>
      <ul class="links">
        {ids.slice(0, SHOWN).map(([id, label], i) => {
          const node = byId.get(id);
          if (!node) return null;
          return (
            <li key={i}>
              <button type="button" class="link" onClick={() => onChoose(node)}>
                <Name text={node.label} />
              </button>
              {label ? (
                <span class="dim mono">
                  {' '}
                  <Name text={label} />
                </span>
              ) : null}
            </li>
          );
        })}
      </ul>
      {ids.length > SHOWN ? <p class="dim">{t('and {0} more', ids.length - SHOWN)}</p> : null}
    </section>
  );
}
