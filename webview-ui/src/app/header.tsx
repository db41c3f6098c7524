import { t, tn } from '../l10n';
import { failureOf, host } from '../rpc';
import { IconButton } from '../shared/controls';
import { Name } from '../shared/name';
import { exact, humanBytes, humanCount } from '../shared/numbers';
import { formatName } from './formats';
import { reload } from './load';
import { actionFailure, overview } from './state';
import { VerdictBadge } from './verdict';

/** What the file is, in two lines. */
export function Header() {
  const file = overview.value;
  if (!file) {
    return (
      <header class="app-header">
        <div class="app-title">
          <h1>
            <span class="skeleton wide" />
          </h1>
          <VerdictBadge />
        </div>
        <p class="app-facts">
          <span class="skeleton wide" />
        </p>
      </header>
    );
  }
  const { producer, totals } = file;
  return (
    <header class="app-header">
      <div class="app-title">
        <h1>
          <Name text={file.title} title />
        </h1>
        <VerdictBadge />
        <div class="app-actions">
          {file.signatures.length > 0 && file.noPrediction === undefined ? (
            <IconButton icon="download" label={t('Export to ONNX…')} onClick={() => exportOnnx()} />
          ) : null}
          <IconButton icon="reload" label={t('Read the file again')} onClick={() => void reload()} />
        </div>
      </div>
      <p class="app-facts">
        <span class="strong">
          <Name text={file.name} />
        </span>
        <span>{formatName(file.format)}</span>
        {producer ? (
          <span>
            <Name text={producer.version ? `${producer.name} ${producer.version}` : producer.name} />
          </span>
        ) : null}
        <span title={tn(file.bytes, '{0} byte', '{0} bytes')}>{humanBytes(file.bytes)}</span>
        {totals.parameters > 0 ? (
          <span title={exact(totals.parameters)}>
            {!file.hasArchitecture
              ? t('{0} values', humanCount(totals.parameters))
              : totals.parameters === 1
                ? t('1 parameter')
                : t('{0} parameters', humanCount(totals.parameters))}
          </span>
        ) : null}
        {file.subtitle ? (
          <span>
            <Name text={file.subtitle} />
          </span>
        ) : null}
      </p>
    </header>
  );
}

function exportOnnx(): void {
  host.exportModel('onnx').catch((error) => {
    const failure = failureOf(error);
    if (failure.code !== 'cancelled') actionFailure.value = failure;
  });
}
