// Bars of answered and abandoned with the service level as a line: uPlot on a canvas.
import { useEffect, useRef } from 'preact/hooks';
import { t } from '../i18n';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

export interface ChartPoint { at: number; answered: number; abandoned: number; level: number | null }

const colour = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function bars(size: number, align: -1 | 1): uPlot.Series.PathBuilder {
  return uPlot.paths.bars!({ size: [size, 60], align });
}

function optionsFor(width: number, tz: string): uPlot.Options {
  const axis = { stroke: colour('--quiet'), grid: { stroke: colour('--line'), width: 1 }, ticks: { stroke: colour('--line') } };
  return {
    width, height: 260, legend: { show: false }, cursor: { drag: { x: false, y: false } },
    tzDate: (t) => uPlot.tzDate(new Date(t * 1000), tz),
    scales: { count: { range: (_u, _min, max) => [0, Math.max(5, Math.ceil((max ?? 0) * 1.15))] }, share: { range: [0, 100] } },
    axes: [axis, { ...axis, scale: 'count', label: t().report.axisVisits }, { ...axis, scale: 'share', side: 1, grid: { show: false }, label: t().report.axisLevel }],
    series: [
      {},
      { label: t().report.legendAnswered, scale: 'count', fill: colour('--talk'), stroke: colour('--talk'), paths: bars(0.35, 1), points: { show: false } },
      { label: t().report.legendAbandoned, scale: 'count', fill: colour('--bad'), stroke: colour('--bad'), paths: bars(0.35, -1), points: { show: false } },
      { label: t().report.legendLevel, scale: 'share', stroke: colour('--ink'), width: 2, points: { size: 6, fill: colour('--ink') } },
    ],
  };
}

export function Chart({ points, tz, label }: { points: ChartPoint[]; tz: string; label: string }) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = box.current;
    if (!element || points.length === 0) return undefined;
    const data: uPlot.AlignedData = [
      points.map((p) => p.at / 1000), points.map((p) => p.answered), points.map((p) => p.abandoned),
      points.map((p) => (p.level === null ? null : p.level * 100)),
    ];
    const chart = new uPlot(optionsFor(element.clientWidth, tz), data, element);
    const watch = new ResizeObserver(() => chart.setSize({ width: element.clientWidth, height: 260 }));
    watch.observe(element);
    return () => { watch.disconnect(); chart.destroy(); };
  }, [points, tz]);
  return <div ref={box} class="chart" role="img" aria-label={label} data-testid="chart" />;
}
