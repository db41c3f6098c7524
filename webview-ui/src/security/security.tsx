import { useState } from 'preact/hooks';
import type { SecurityReport } from '../../../src/engine/contract';
import type { SecurityFinding } from '../../../src/security/report';
import { securityFailure } from '../app/load';
import { security } from '../app/state';
import { VERDICT_ICON, verdictName } from '../app/verdict';
import { t, tn } from '../l10n';
import { Spinner } from '../shared/controls';
import { CopyButton } from '../shared/copy';
import { ErrorNote } from '../shared/error-note';
import { Icon } from '../shared/icons';
import { Split } from '../shared/split';
import { visible } from '../shared/text';
import { persisted } from '../vscode';
import { Coverage } from './coverage';
import { Disassembly, type Place } from './disassembly';
import { FindingCard } from './finding';
import { Imports } from './imports';
import { Suppress } from './suppress';

const share = persisted('security.share', 0.5);
const RANK: Record<SecurityFinding['severity'], number> = { dangerous: 0, suspicious: 1, info: 2 };
const FINDINGS_SHOWN = 200;

/** What loading the file would do, and why that is known. */
export function Security() {
  const report = security.value;
  const [place, setPlace] = useState<Place | undefined>(undefined);
  if (!report) {
    return securityFailure.value ? (
      <ErrorNote failure={securityFailure.value} />
    ) : (
      <Spinner label={t('Checking what loading this file would do…')} />
    );
  }
  return (
    <Split
      share={share}
      detailLabel={t('Disassembly')}
      detailTitle={t('Disassembly')}
      detail={place ? <Disassembly place={place} onMember={(member) => setPlace({ member })} /> : undefined}
      onClose={() => setPlace(undefined)}
    >
      <Report report={report} onPlace={setPlace} />
    </Split>
  );
}

function Report({ report, onPlace }: { report: SecurityReport; onPlace: (place: Place) => void }) {
  const findings = [...report.findings].sort((a, b) => RANK[a.severity] - RANK[b.severity]);
  const worth = findings.filter((finding) => finding.severity !== 'info');
  const remarks = findings.filter((finding) => finding.severity === 'info');
  const verdict = report.suppressed?.verdict ?? report.verdict;
  const hasPickle = report.coverage.some((part) => part.kind.includes('pickle')) || report.imports.length > 0;
  return (
    <div class="scroll security">
      <section class={`verdict-card ${verdict}`} aria-labelledby="verdict">
        <Icon name={VERDICT_ICON[verdict]} />
        <div>
          <h2 id="verdict">{verdictName(verdict)}</h2>
          <p>{visible(report.sentence)}</p>
          {report.suppressed ? (
            <p class="dim">
              {t('You suppressed this content')}: <bdi>“{visible(report.suppressed.reason)}”</bdi>
            </p>
          ) : null}
          {report.sha256 ? (
            <p class="hash dim">
              SHA-256 <code class="mono">{visible(report.sha256)}</code>{' '}
              <CopyButton text={report.sha256} label={t('Copy the hash')} />
            </p>
          ) : null}
        </div>
      </section>

      {worth.length > 0 ? (
        <section aria-labelledby="findings">
          <h2 id="findings">{tn(worth.length, '{0} finding', '{0} findings')}</h2>
          {worth.slice(0, FINDINGS_SHOWN).map((finding, i) => (
            <FindingCard key={i} finding={finding} onPlace={onPlace} />
          ))}
          {worth.length > FINDINGS_SHOWN ? <p class="dim">{t('and {0} more', worth.length - FINDINGS_SHOWN)}</p> : null}
        </section>
      ) : null}
      {verdict !== 'safe' && !report.suppressed ? <Suppress /> : null}
      {remarks.length > 0 ? (
        <section aria-labelledby="remarks">
          <h2 id="remarks">{t('Remarks')}</h2>
          {remarks.slice(0, FINDINGS_SHOWN).map((finding, i) => (
            <FindingCard key={i} finding={finding} onPlace={onPlace} />
          ))}
        </section>
      ) : null}
      <Imports imports={report.imports} onPlace={onPlace} />
      <Coverage coverage={report.coverage} />
      {hasPickle ? (
        <section>
          <button type="button" class="link" onClick={() => onPlace({})}>
            <Icon name="code" /> {t('Show the disassembly')}
          </button>
        </section>
      ) : null}
    </div>
  );
}
