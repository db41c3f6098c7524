import { useRef } from 'preact/hooks';
import { t } from '../l10n';
import { exact, humanCount } from '../shared/numbers';
import { activeTab, overview, security, showTab, type Tab, tabs } from './state';

export function tabName(tab: Tab): string {
  switch (tab) {
    case 'overview':
      return t('Overview');
    case 'architecture':
      return t('Architecture');
    case 'parameters':
      return t('Parameters');
    case 'security':
      return t('Security');
    case 'predict':
      return t('Predict');
    case 'objects':
      return t('Objects');
    case 'graph':
      return t('Graph');
    case 'source':
      return t('Source');
  }
}

/** A number beside a tab's name: rows of the table, findings worth a look. */
function badge(tab: Tab): { text: string; title: string } | undefined {
  if (tab === 'parameters' && overview.value && overview.value.parameterRows > 0) {
    return { text: humanCount(overview.value.parameterRows), title: exact(overview.value.parameterRows) };
  }
  if (tab === 'security' && security.value) {
    const count = security.value.findings.filter((finding) => finding.severity !== 'info').length;
    if (count > 0) return { text: humanCount(count), title: exact(count) };
  }
  return undefined;
}

/** One tab stop; arrow keys, Home and End choose. */
export function TabBar() {
  const bar = useRef<HTMLDivElement>(null);
  const shown = tabs.value;
  const active = activeTab.value;
  const onKeyDown = (event: KeyboardEvent): void => {
    const at = shown.indexOf(active);
    const to =
      event.key === 'ArrowRight'
        ? (at + 1) % shown.length
        : event.key === 'ArrowLeft'
          ? (at + shown.length - 1) % shown.length
          : event.key === 'Home'
            ? 0
            : event.key === 'End'
              ? shown.length - 1
              : -1;
    if (to < 0) return;
    event.preventDefault();
    showTab(shown[to]);
    const next = bar.current?.children[to] as HTMLElement | undefined;
    next?.focus();
    next?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  };
  return (
    <div class="tab-bar" role="tablist" aria-label={t('Views of the model')} ref={bar} onKeyDown={onKeyDown}>
      {shown.map((tab) => {
        const count = badge(tab);
        return (
          <button
            key={tab}
            type="button"
            role="tab"
            id={`tab-${tab}`}
            aria-controls="panel"
            aria-selected={tab === active}
            tabIndex={tab === active ? 0 : -1}
            class="tab"
            onClick={() => showTab(tab)}
          >
            <span class="tab-name">{tabName(tab)}</span>
            {count ? (
              <span class="count" title={count.title}>
                {count.text}
              </span>
            ) : null}
          </button>
        );
      })}
    </div>
  );
}
