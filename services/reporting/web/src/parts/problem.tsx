// What went wrong and how to mend it: a headline in the reader's language, the detail as the server says it.
import type { Problem } from '../api';
import { t } from '../i18n';

export function headline(problem: Problem): string {
  const words = t().problemOf;
  const known = problem.type && t().problems[problem.type.replace(/^.*[/#:]/, '')];
  if (known) return known;
  if (problem.status <= 0) return words.offline;
  if (problem.status === 401) return words.signedOut;
  if (problem.status === 403) return words.forbidden;
  if (problem.status === 404) return words.missing;
  if (problem.status === 409 || problem.status === 412) return words.conflict;
  if (problem.status === 400 || problem.status === 422) return words.input;
  if (problem.status === 429) return words.limited;
  return problem.status >= 500 ? words.server : words.other;
}

export function ProblemPanel({ problem, retry }: { problem: Problem | null; retry?: (() => void) | undefined }) {
  if (!problem) return null;
  const detail = problem.status === 0 ? t().problemOf.offlineHint : problem.detail;
  return (
    <div class="problem-panel" role="alert">
      <p><strong>{headline(problem)}</strong></p>
      {detail && <p>{detail}</p>}
      {retry && <button type="button" onClick={retry}>{t().action.retry}</button>}
    </div>
  );
}

// Until there is something to show: loading, or why not.
export function Waiting({ problem, retry }: { problem: Problem | null; retry?: () => void }) {
  return problem ? <ProblemPanel problem={problem} retry={retry} /> : <p class="quiet" role="status">{t().action.loading}</p>;
}
