import { useState } from 'preact/hooks';
import type { EngineFailure } from '../../../src/engine/contract';
import { generation } from '../app/state';
import { t } from '../l10n';
import { failureOf, host } from '../rpc';
import { Button, TextField } from '../shared/controls';
import { ErrorNote } from '../shared/error-note';

/** Lets the user accept exactly this content, with a reason. Any change of a byte brings the verdict back. */
export function Suppress() {
  const [open, setOpen] = useState(false);
  const [reason, setReason] = useState('');
  const [failure, setFailure] = useState<EngineFailure | undefined>(undefined);
  if (!open) {
    return (
      <p>
        <button type="button" class="link" onClick={() => setOpen(true)}>
          {t('I know this file: suppress the verdict…')}
        </button>
      </p>
    );
  }
  const suppress = async (): Promise<void> => {
    try {
      await host.suppress(reason.trim());
      setOpen(false);
      generation.value++;
    } catch (error) {
      setFailure(failureOf(error));
    }
  };
  return (
    <section class="suppress" aria-label={t('Suppress the verdict')}>
      <p class="dim">
        {t(
          'The workspace settings then hold the hash of this content and your reason. Nothing else is trusted by it, and a change of the file ends it.',
        )}
      </p>
      <TextField
        value={reason}
        label={t('Reason')}
        placeholder={t('for example: written by our own training job')}
        onInput={setReason}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && reason.trim() !== '') void suppress();
          if (event.key === 'Escape') setOpen(false);
        }}
      />
      <div class="buttons">
        <Button kind="primary" disabled={reason.trim() === ''} onClick={() => void suppress()}>
          {t('Suppress')}
        </Button>
        <Button onClick={() => setOpen(false)}>{t('Cancel')}</Button>
      </div>
      {failure ? <ErrorNote failure={failure} inline /> : null}
    </section>
  );
}
