import type { ComponentChildren } from 'preact';
import { t } from '../l10n';
import { Button, IconButton } from '../shared/controls';
import { Icon, type IconName } from '../shared/icons';
import { visible } from '../shared/text';
import { reload, restartEngine } from './load';
import { actionFailure, activeTab, fileState, overview, security, showTab } from './state';

interface BannerProps {
  kind: 'error' | 'warning' | 'info';
  children: ComponentChildren;
  action?: { label: string; run: () => void };
  close?: () => void;
}

const ICONS: Record<BannerProps['kind'], IconName> = { error: 'danger', warning: 'warning', info: 'info' };

function Banner({ kind, children, action, close }: BannerProps) {
  return (
    <div class={`banner ${kind}`} role={kind === 'info' ? 'status' : 'alert'}>
      <Icon name={ICONS[kind]} class={`${kind}-mark`} />
      <div class="banner-text">{children}</div>
      {action ? (
        <Button kind="secondary" onClick={action.run}>
          {action.label}
        </Button>
      ) : null}
      {close ? <IconButton icon="close" label={t('Close')} onClick={close} /> : null}
    </div>
  );
}

/** What the user should know whatever tab is open. */
export function Banners() {
  const file = overview.value;
  const state = fileState.value;
  const report = security.value;
  const failed = actionFailure.value;
  return (
    <div class="banners">
      {state.kind === 'engine-lost' ? (
        <Banner kind="error" action={{ label: t('Restart'), run: () => void restartEngine() }}>
          {visible(state.message || t('The process that reads this file has ended.'))}
        </Banner>
      ) : null}
      {state.kind === 'changed' ? (
        <Banner kind="warning" action={{ label: t('Reload'), run: () => void reload() }}>
          {visible(state.message || t('The file has changed on disk.'))}
        </Banner>
      ) : null}
      {state.kind === 'deleted' || state.kind === 'unreadable' ? (
        <Banner kind="warning" action={{ label: t('Try again'), run: () => void reload() }}>
          {visible(state.message || t('The file can no longer be read; what is shown was read before.'))}
        </Banner>
      ) : null}
      {report && (report.suppressed?.verdict ?? report.verdict) === 'dangerous' ? (
        <Banner
          kind="error"
          action={
            activeTab.value === 'security' ? undefined : { label: t('Show findings'), run: () => showTab('security') }
          }
        >
          <strong>{t('Do not load this file.')}</strong> {visible(report.sentence)}
        </Banner>
      ) : null}
      {file?.error ? (
        <Banner kind="warning">
          <strong>{t('Only a part of this file could be read.')}</strong> {visible(file.error.message)}
        </Banner>
      ) : null}
      {failed ? (
        <Banner kind="error" close={() => (actionFailure.value = undefined)}>
          {visible(failed.message)}
        </Banner>
      ) : null}
    </div>
  );
}
