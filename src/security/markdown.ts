import type { FileScan } from './report';

/** A report for a pull request or a job summary. */
export function markdownReport(
  results: FileScan[],
  summary: { files: number; safe: number; suspicious: number; dangerous: number; unreadable: number },
): string {
  const out = [
    '# Model scan',
    '',
    `${summary.files} files: ${summary.safe} safe, ${summary.suspicious} suspicious, ${summary.dangerous} dangerous, ${summary.unreadable} unreadable.`,
    '',
    '| verdict | file | format | why |',
    '| --- | --- | --- | --- |',
  ];
  const rank = (r: FileScan): number => (r.error ? 2 : { dangerous: 0, suspicious: 1, safe: 3 }[r.verdict]);
  const sorted = [...results].sort((a, b) => rank(a) - rank(b));
  for (const r of sorted) {
    out.push(
      `| ${r.error ? 'unreadable' : r.verdict} | ${code(r.file)} | ${r.format} | ${escapeMarkup(r.error ? r.error.message : r.sentence)} |`,
    );
  }
  for (const r of sorted) {
    const findings = r.findings.filter((f) => f.severity !== 'info');
    if (findings.length === 0) continue;
    out.push('', `## ${code(r.file)}`, '');
    for (const f of findings) {
      const where = [f.member && code(f.member), f.offset === undefined ? '' : `byte ${f.offset}`]
        .filter(Boolean)
        .join(', ');
      out.push(`- **${f.severity}** (${f.rule}${where ? `; ${where}` : ''}): ${escapeMarkup(f.message)}`);
      if (f.call) out.push(`  ${code(f.call)}`);
      if (f.advice) out.push(`  ${escapeMarkup(f.advice)}`);
    }
  }
  out.push('');
  return out.join('\n');
}

/** Text from a file must not become markup, links or mentions. */
function escapeMarkup(text: string): string {
  return text.replace(/[\r\n]+/g, ' ').replace(/[\\`*_{}[\]<>()#+!|@~&]/g, '\\$&');
}

function code(text: string): string {
  const line = text.replace(/[\r\n]+/g, ' ').replace(/\|/g, '\\|');
  const longest = Math.max(0, ...(line.match(/`+/g) ?? []).map((run) => run.length));
  const fence = '`'.repeat(longest + 1);
  return longest ? `${fence} ${line} ${fence}` : `${fence}${line}${fence}`;
}
