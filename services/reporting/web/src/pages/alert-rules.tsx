// The rules of alerts, in words.
import { path } from '../api';
import { useLive } from '../bus';
import { queueName, siteName, teamName } from '../directory';
import { dayTime, list as listed, t } from '../i18n';
import { useLoaded } from '../loading';
import { inUnit, UNIT_OF } from '../parts/alert-row';
import { PageHead } from '../parts/page-head';
import { Waiting } from '../parts/problem';
import type { AlertRule, ListAlertRulesResponse } from '../proto';
import { hasRole } from '../session';

export function whereOf(rule: AlertRule): string {
  const parts = [...rule.sites.map(siteName), ...rule.queues.map(queueName), ...rule.teams.map(teamName)];
  return parts.length ? listed(parts) : t().rules.everywhere;
}

export function comparisonOf(rule: AlertRule): string {
  const words = t().rules;
  if (rule.subject === 'service_level') return words.below;
  if (rule.subject === 'low_survey') return words.atMost;
  return rule.subject && UNIT_OF[rule.subject] === 'ms' ? words.longer : words.atLeast;
}

export const sentenceOf = (rule: AlertRule): string =>
  rule.subject ? t().rules.sentence(t().alertSubjects[rule.subject], comparisonOf(rule), inUnit(rule.subject, rule.threshold), whereOf(rule)) : '';

function Rule({ rule }: { rule: AlertRule }) {
  const words = t().rules;
  return (
    <li class={`alert-card is-${rule.severity ?? 'notice'}`} data-testid="rule">
      <div class="alert-head"><span class="badge">{t().severities[rule.severity ?? 'notice']}</span>
        <strong>{hasRole('leader', 'coach') ? <a href={path('/alerts/rules/{}', rule.rule_id)}>{rule.title}</a> : rule.title}</strong>
        {!rule.enabled && <span class="badge">{words.off}</span>}</div>
      <p>{sentenceOf(rule)}</p>
      <p class="quiet small">{rule.edited_by_name ? words.changedBy(rule.edited_by_name, dayTime(rule.edited_at)) : words.shipped}</p>
    </li>
  );
}

export function AlertRulesPage() {
  const { data, problem, reload } = useLoaded<ListAlertRulesResponse>('/api/v1/alert-rules');
  useLive('rule', reload);
  const words = t().rules;
  const rules = data?.rules.filter((r) => !r.removed) ?? [];
  return (
    <div class="rules">
      <PageHead title={words.title} about={words.about}>
        {hasRole('leader', 'coach') && <a class="button main-action" href="/alerts/rules/new">{words.add}</a>}
        <a class="button" href="/alerts">{t().alerts.title}</a>
      </PageHead>
      {!data ? <Waiting problem={problem} retry={reload} /> : rules.length === 0 ? <div class="panel empty"><p>{words.none}</p></div>
        : <ul class="plain">{rules.map((r) => <Rule key={r.rule_id} rule={r} />)}</ul>}
    </div>
  );
}
