// Did the coaching help? The criterion's pass rate before and after, with how sure one can be.
import { number, percent, t } from '../i18n';
import type { CoachingEffect, PassRate } from '../proto';

const WIDTH = 320;
const ROW = 34;
const at = (share: number): number => 10 + share * (WIDTH - 20);

function Interval({ rate, y, look }: { rate: PassRate; y: number; look: string }) {
  if (rate.value === null) return null;
  return (
    <g class={look}>
      <line class="interval" x1={at(rate.low)} x2={at(rate.high)} y1={y} y2={y} /><line class="interval" x1={at(rate.low)} x2={at(rate.low)} y1={y - 5} y2={y + 5} /><line class="interval" x1={at(rate.high)} x2={at(rate.high)} y1={y - 5} y2={y + 5} />
      <circle cx={at(rate.value)} cy={y} r="6" />
    </g>
  );
}

const say = (rate: PassRate | null): string =>
  !rate || rate.value === null ? t().noData : t().coaching.rate(percent(rate.value), number(rate.passed), number(rate.n), percent(rate.low), percent(rate.high));

// Only where the intervals do not touch can the difference not be chance alone.
function verdict({ before, after }: CoachingEffect): string {
  const words = t().coaching;
  if (!before || !after || before.value === null || after.value === null) return words.effectTooEarly;
  if (after.low > before.high) return words.effectBetter;
  return after.high < before.low ? words.effectWorse : words.effectUnclear;
}

export function Effect({ effect }: { effect: CoachingEffect }) {
  const words = t().coaching;
  const rows: [string, PassRate | null][] = [[words.before, effect.before], [words.after, effect.after]];
  return (
    <figure class="effect" data-testid="effect">
      <p><strong>{effect.criterion_title}</strong>: {verdict(effect)}</p>
      <svg viewBox={`0 0 ${WIDTH} ${2 * ROW + 18}`} width={WIDTH} height={2 * ROW + 18} role="img" aria-label={rows.map(([name, rate]) => `${name}: ${say(rate)}`).join('; ')}>
        {[0, 0.5, 1].map((share) => <g key={share}><line class="grid-line" x1={at(share)} x2={at(share)} y1="0" y2={2 * ROW} /><text x={at(share)} y={2 * ROW + 14} text-anchor={share === 0 ? 'start' : share === 1 ? 'end' : 'middle'}>{percent(share)}</text></g>)}
        {rows.map(([name, rate], i) => <Interval key={name} rate={rate ?? { passed: 0, n: 0, value: null, low: 0, high: 0, moment_ids: [] }} y={i * ROW + ROW / 2} look={i ? 'is-after' : 'is-before'} />)}
      </svg>
      <dl class="facts">{rows.map(([name, rate], i) => (
        <div key={name}><dt><i class={`swatch ${i ? 'is-after' : 'is-before'}`} /> {name}</dt><dd>{say(rate)}
          {rate && rate.moment_ids.length > 0 && <details class="small"><summary>{t().figure.items}</summary>{rate.moment_ids.map((id, j) => <a key={id} href={`/moments/${id}`}>{j + 1} </a>)}</details>}</dd></div>))}</dl>
      <p class="hint">{words.effectHint(number(effect.wanted))}</p>
    </figure>
  );
}
