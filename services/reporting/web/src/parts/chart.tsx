// Bars of answered and abandoned beside each other, with the service level as a line.
import { useEffect, useRef, useState } from 'preact/hooks';
import { number, percent, showDate, t } from '../i18n';

export interface ChartPoint { at: number; answered: number; abandoned: number; level: number | null }

const HEIGHT = 260;
const LEFT = 44;
const RIGHT = 48;
const TOP = 10;
const BOTTOM = 26;
const BAR_MOST = 30;
const LABEL_WIDTH = 90;

// Steps of 1, 2 or 5 times a power of ten, about five of them up to the most.
function stepsTo(most: number): number[] {
  const rough = Math.max(1, most / 5);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((f) => f * power).find((s) => s >= rough) ?? rough;
  return Array.from({ length: Math.ceil(most / step) + 1 }, (_, i) => i * step);
}

function useWidth() {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    if (!box.current) return undefined;
    const watch = new ResizeObserver(([entry]) => setWidth(Math.floor(entry!.contentRect.width)));
    watch.observe(box.current);
    return () => watch.disconnect();
  }, []);
  return { box, width };
}

interface Scale { x: (at: number) => number; count: (n: number) => number; share: (s: number) => number; bar: number }

function scaleFor(points: ChartPoint[], width: number, most: number): Scale {
  const slot = (width - LEFT - RIGHT) / Math.max(1, points.length);
  const index = new Map(points.map((p, i) => [p.at, i]));
  const y = (share: number): number => HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM);
  return { x: (at) => LEFT + ((index.get(at) ?? 0) + 0.5) * slot, count: (n) => y(n / most), share: y, bar: Math.max(1, Math.min(BAR_MOST, slot * 0.38)) };
}

function Axes({ points, width, scale, steps, tz }: { points: ChartPoint[]; width: number; scale: Scale; steps: number[]; tz: string }) {
  const every = Math.max(1, Math.ceil((points.length * LABEL_WIDTH) / Math.max(1, width - LEFT - RIGHT)));
  const long = points.length > 1 && points.at(-1)!.at - points[0]!.at > 86_400_000;
  const when = (at: number): string => showDate(at, { timeZone: tz, hour: '2-digit', minute: '2-digit', ...(long ? { month: 'short', day: 'numeric' } : {}) });
  return (
    <g class="axes">
      {steps.map((n) => <g key={n}><line x1={LEFT} x2={width - RIGHT} y1={scale.count(n)} y2={scale.count(n)} /><text x={LEFT - 6} y={scale.count(n) + 4} text-anchor="end">{number(n)}</text></g>)}
      {[0, 0.5, 1].map((s) => <text key={s} x={width - RIGHT + 6} y={scale.share(s) + 4}>{percent(s)}</text>)}
      {points.filter((_, i) => i % every === 0).map((p) => <text key={p.at} x={scale.x(p.at)} y={HEIGHT - 8} text-anchor="middle">{when(p.at)}</text>)}
    </g>
  );
}

function Bars({ points, scale }: { points: ChartPoint[]; scale: Scale }) {
  const floor = HEIGHT - BOTTOM;
  const words = t().report;
  return (
    <>{points.map((p) => (
      <g key={p.at}>
        {p.answered > 0 && <rect class="bar-answered" x={scale.x(p.at) - scale.bar} y={scale.count(p.answered)} width={scale.bar} height={floor - scale.count(p.answered)}><title>{`${words.legendAnswered}: ${number(p.answered)}`}</title></rect>}
        {p.abandoned > 0 && <rect class="bar-abandoned" x={scale.x(p.at)} y={scale.count(p.abandoned)} width={scale.bar} height={floor - scale.count(p.abandoned)}><title>{`${words.legendAbandoned}: ${number(p.abandoned)}`}</title></rect>}
      </g>))}</>
  );
}

// Where nothing is known the line is broken, not drawn through.
function Level({ points, scale }: { points: ChartPoint[]; scale: Scale }) {
  const known = points.filter((p) => p.level !== null);
  const path = points.map((p, i) => (p.level === null ? '' : `${i > 0 && points[i - 1]!.level !== null ? 'L' : 'M'}${scale.x(p.at)} ${scale.share(p.level)}`)).join('');
  return (
    <g class="level"><path d={path} />
      {known.map((p) => <circle key={p.at} cx={scale.x(p.at)} cy={scale.share(p.level!)} r="3"><title>{`${t().report.legendLevel}: ${percent(p.level, 1)}`}</title></circle>)}</g>
  );
}

export function Chart({ points, tz, label }: { points: ChartPoint[]; tz: string; label: string }) {
  const { box, width } = useWidth();
  const steps = stepsTo(Math.max(5, ...points.map((p) => Math.max(p.answered, p.abandoned))));
  const scale = scaleFor(points, width, steps.at(-1)!);
  return (
    <div ref={box} class="chart" data-testid="chart">
      {width > 0 && (
        <svg width={width} height={HEIGHT} role="img" aria-label={label}>
          <Axes points={points} width={width} scale={scale} steps={steps} tz={tz} /><Bars points={points} scale={scale} /><Level points={points} scale={scale} />
        </svg>)}
    </div>
  );
}
