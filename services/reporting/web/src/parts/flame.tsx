// A leader's flame: what was promised against what was kept, period by period.
import type { ComponentChildren } from 'preact';
import { number, percent, plainDay, t } from '../i18n';
import type { Flame, FlamePeriod } from '../proto';
import { FigureValue, pageOf } from './figure';

const COLUMN = 26;
const GAP = 8;
const HEIGHT = 64;

function Column({ period, at, most }: { period: FlamePeriod; at: number; most: number }) {
  const y = (times: number): number => HEIGHT - (Math.min(times, most) / most) * (HEIGHT - 4);
  const isKept = period.kept >= period.promised;
  return (
    <g>
      <rect class="flame-promised" x={at} y={y(period.promised)} width={COLUMN} height={HEIGHT - y(period.promised)} rx="3" />
      <rect class={`flame-kept ${isKept ? 'is-whole' : period.is_over ? 'is-short' : 'is-open'}`} x={at + 4} y={y(period.kept)} width={COLUMN - 8} height={HEIGHT - y(period.kept)} rx="2" />
      <title>{t().flame.period(plainDay(period.from_date), period.kept, period.promised)}</title>
    </g>
  );
}

export function FlamePicture({ flame }: { flame: Flame }) {
  const words = t().flame;
  const { periods } = flame;
  const most = Math.max(1, ...periods.map((p) => Math.max(p.promised, p.kept)));
  const width = periods.length * (COLUMN + GAP);
  const what = flame.practice ? t().practices[flame.practice] : '';
  return (
    <figure class="flame">
      <svg viewBox={`0 0 ${width} ${HEIGHT}`} width={width} height={HEIGHT} role="img" aria-label={words.picture(what)}>
        {periods.map((p, i) => <Column key={p.from_date} period={p} at={i * (COLUMN + GAP)} most={most} />)}
      </svg>
      <figcaption class="legend"><span><i class="swatch flame-promised" /> {words.legendPromised}</span><span><i class="swatch flame-kept is-whole" /> {words.legendKept}</span></figcaption>
      <details class="small"><summary>{words.table}</summary>
        <table><thead><tr><th scope="col">{words.from}</th><th scope="col" class="num">{words.promisedHead}</th><th scope="col" class="num">{words.keptHead}</th></tr></thead>
          <tbody>{periods.map((p) => (
            <tr key={p.from_date}><th scope="row">{p.items ? <a href={pageOf(p.items)}>{plainDay(p.from_date)}</a> : plainDay(p.from_date)}{p.is_over ? '' : ` (${words.underWay})`}</th><td class="num">{p.promised}</td><td class="num">{p.kept}</td></tr>))}</tbody></table>
      </details>
    </figure>
  );
}

// from: the day on which the promise begins to count, while that is still to come.
export function FlameCard({ flame, from, children }: { flame: Flame; from?: string | undefined; children?: ComponentChildren }) {
  const words = t().flame;
  const current = flame.periods.find((p) => !p.is_over);
  const what = flame.practice ? t().practices[flame.practice] : '';
  const period = flame.period ? t().periods[flame.period] : '';
  return (
    <article class="flame-card" data-testid="flame">
      <h3>{from ? words.notYet(flame.times, what, period, plainDay(from)) : current ? words.now(current.kept, current.promised, what, period) : words.was(flame.times, what, period)}</h3>
      {flame.is_low && <p class="problem">{words.low}</p>}
      <FlamePicture flame={flame} />
      {!from && <dl class="facts">
        <div><dt>{words.kept}</dt><dd><FigureValue figure={flame.kept_share} show={(v) => percent(v)} /></dd></div>
        <div><dt>{words.gap}</dt><dd><FigureValue figure={flame.longest_gap_days} show={(v) => words.days(number(v, 1))} /></dd></div>
        <div><dt>{words.trend}</dt><dd><FigureValue figure={flame.ewma} show={(v) => percent(v)} /></dd></div>
      </dl>}
      {children}
    </article>
  );
}
