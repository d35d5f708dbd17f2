// A figure with everything it needs to be believed: n, the interval, how it is counted, what is behind it.
import type { Figure } from '../proto';
import { t, number } from '../i18n';

// The page that shows what is listed at a path of the API.
export const pageOf = (items: string): string => items.replace(/^\/api\/v1/, '');

// "praise_balance@1" -> "praise_balance"
const nameOf = (definition: string): string => definition.replace(/@.*$/, '');

export function FigureValue({ figure, show, testid }: { figure: Figure | null; show: (value: number) => string; testid?: string }) {
  const words = t().figure;
  if (!figure) return <span class="quiet">{t().noData}</span>;
  return (
    <span class="figure" data-testid={testid}>
      <strong class="num">{figure.value === null ? t().noData : show(figure.value)}</strong>
      <span class="quiet small"> {words.n(number(figure.n))}{figure.low !== null && figure.high !== null && <>, {words.interval(show(figure.low), show(figure.high))}</>}</span>
      {' '}{figure.items && <a class="small" href={pageOf(figure.items)}>{words.items}</a>}
      {figure.definition && <details class="small"><summary>{words.definition}</summary>{words.how[nameOf(figure.definition)]} <code>{figure.definition}</code></details>}
    </span>
  );
}
