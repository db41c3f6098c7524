import type { SecurityFinding } from '../../../src/security/report';
import { t } from '../l10n';
import { InlineCode } from '../shared/code';
import { LinkButton } from '../shared/controls';
import { Icon } from '../shared/icons';
import { hexOffset } from '../shared/numbers';
import { visible } from '../shared/text';
import type { Place } from './disassembly';

function severityName(severity: SecurityFinding['severity']): string {
  return severity === 'dangerous' ? t('Dangerous') : severity === 'suspicious' ? t('Suspicious') : t('Remark');
}

/** One finding: what would happen in plain words, the call, where, and what to do. */
export function FindingCard({ finding, onPlace }: { finding: SecurityFinding; onPlace: (place: Place) => void }) {
  const { severity } = finding;
  const icon = severity === 'dangerous' ? 'danger' : severity === 'suspicious' ? 'warning' : 'info';
  const mark = severity === 'dangerous' ? 'error-mark' : severity === 'suspicious' ? 'warning-mark' : 'info-mark';
  return (
    <article class={`finding ${severity}`}>
      <Icon name={icon} class={mark} />
      <div class="finding-body">
        <p>
          <span class="sr-only">{severityName(severity)}: </span>
          {visible(finding.message)}
        </p>
        {finding.call ? (
          <pre class="call" tabIndex={0} role="group" aria-label={t('Reconstructed call')}>
            <InlineCode text={finding.call} />
          </pre>
        ) : null}
        {finding.advice ? <p class="advice">{visible(finding.advice)}</p> : null}
        <p class="finding-facts">
          {finding.offset === undefined ? (
            finding.member ? (
              <bdi class="mono">{visible(finding.member)}</bdi>
            ) : null
          ) : (
            <LinkButton
              title={t('Show in the disassembly')}
              onClick={() => onPlace({ member: finding.member, offset: finding.offset })}
            >
              <bdi class="mono">
                {finding.member ? `${visible(finding.member)} ` : ''}
                {hexOffset(finding.offset)}
              </bdi>
            </LinkButton>
          )}
          {finding.opcode ? <span class="mono">{visible(finding.opcode)}</span> : null}
          {finding.advisory ? <span>{visible(finding.advisory)}</span> : null}
          <span class="rule mono">{visible(finding.rule)}</span>
        </p>
      </div>
    </article>
  );
}
