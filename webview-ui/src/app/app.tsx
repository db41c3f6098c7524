import { Architecture } from '../architecture/architecture';
import { Graph } from '../graph/graph';
import { t } from '../l10n';
import { Objects } from '../objects/objects';
import { Parameters } from '../parameters/parameters';
import { Predict } from '../predict/predict';
import { host } from '../rpc';
import { Security } from '../security/security';
import { Button, Spinner } from '../shared/controls';
import { placeOf } from '../shared/error-note';
import { Icon } from '../shared/icons';
import { visible } from '../shared/text';
import { Source } from '../source/source';
import { Banners } from './banners';
import { Header } from './header';
import { openFailure, reload } from './load';
import { OverviewTab } from './overview/overview';
import { activeTab, overview, security, type Tab } from './state';
import { TabBar } from './tabs';
import { VerdictBadge } from './verdict';

const PANELS: Record<Tab, () => preact.JSX.Element | null> = {
  overview: OverviewTab,
  architecture: Architecture,
  parameters: Parameters,
  security: Security,
  predict: Predict,
  objects: Objects,
  graph: Graph,
  source: Source,
};

export function App() {
  if (openFailure.value && !overview.value) return <Unopened />;
  const tab = activeTab.value;
  const Panel = PANELS[tab];
  return (
    <main class="app">
      <Header />
      <Banners />
      <TabBar />
      <section class={`panel panel-${tab}`} id="panel" role="tabpanel" aria-labelledby={`tab-${tab}`}>
        {overview.value || tab === 'security' ? <Panel /> : <Spinner label={t('Reading the file…')} />}
      </section>
    </main>
  );
}

/** The whole page for a file that is no model, or cannot be read. */
function Unopened() {
  const failure = openFailure.value;
  if (!failure) return null;
  const isText = failure.reason === 'text' || failure.reason === 'html' || failure.reason === 'git-lfs';
  return (
    <main class="app unopened">
      <div class="unopened-body" role="alert">
        <Icon name={failure.code === 'unsupported' ? 'info' : 'warning'} class="unopened-mark" />
        <h1>{failure.code === 'unsupported' ? t('This file cannot be shown') : t('This file cannot be read')}</h1>
        <p>{visible(failure.message)}</p>
        <p class="dim mono">{placeOf(failure)}</p>
        <div class="buttons">
          {isText ? (
            <Button kind="primary" onClick={() => void host.openAsText()}>
              {t('Open as text')}
            </Button>
          ) : null}
          <Button onClick={() => void reload()}>{t('Try again')}</Button>
          <VerdictBadge />
        </div>
        {security.value && security.value.verdict !== 'safe' ? (
          <div class="unopened-security">
            <Security />
          </div>
        ) : null}
      </div>
    </main>
  );
}
