import type { Verdict } from '../../../src/security/report';
import { t } from '../l10n';
import type { IconName } from '../shared/icons';
import { Icon } from '../shared/icons';
import { securityFailure } from './load';
import { security, showTab } from './state';

export const VERDICT_ICON: Record<Verdict, IconName> = { safe: 'check', suspicious: 'warning', dangerous: 'danger' };

export function verdictName(verdict: Verdict): string {
  return verdict === 'safe' ? t('Safe') : verdict === 'suspicious' ? t('Suspicious') : t('Dangerous');
}

/** The verdict in the header; leads to the Security tab. */
export function VerdictBadge() {
  const report = security.value;
  if (!report) {
    const failed = securityFailure.value;
    return (
      <span class={`verdict pending ${failed ? 'failed' : ''}`} role="status">
        <Icon name={failed ? 'warning' : 'shield'} />
        {failed ? t('Not checked') : t('Checking…')}
      </span>
    );
  }
  const verdict = report.suppressed?.verdict ?? report.verdict;
  return (
    <button type="button" class={`verdict ${verdict}`} title={report.sentence} onClick={() => showTab('security')}>
      <Icon name={VERDICT_ICON[verdict]} />
      <span>{verdictName(verdict)}</span>
      {report.suppressed ? <span class="dim">{t('(suppressed)')}</span> : null}
    </button>
  );
}
