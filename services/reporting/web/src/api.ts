// The HTTP API as the page uses it: types of ../openapi.json and one fetch wrapper.
// Times are RFC 3339 strings, durations milliseconds, unknown is null.

export type State = 'started' | 'waiting' | 'ringing' | 'talking' | 'held' | 'ended';
export type Presence = 'available' | 'ringing' | 'busy' | 'wrap' | 'break' | 'offline';

export interface Visit {
  queue: string | null;
  entered_at: string | null;
  answered_at: string | null;
  ended_at: string | null;
  agent: string | null;
  person_id: string | null;
  wait_ms: number | null;
  ring_ms: number | null;
  talk_ms: number | null;
  hold_ms: number | null;
  hold_count: number | null;
  outcome: string | null;
  ended_by: string | null;
  offers: number;
  offer_failures: number;
  csat: number | null;
}

export interface Moment {
  moment_id: string;
  source: string | null;
  source_contact_id: string | null;
  site: string | null;
  channel: string | null;
  direction: string | null;
  customer_id: string | null;
  started_at: string | null;
  ended_at: string | null;
  queue: string | null;
  agent: string | null;
  person_id: string | null;
  outcome: string | null;
  ended_by: string | null;
  wait_ms: number | null;
  ring_ms: number | null;
  talk_ms: number | null;
  hold_ms: number | null;
  hold_count: number | null;
  wrap_ms: number | null;
  transfers: number;
  csat: number | null;
  nps: number | null;
  quality: string[];
  revision: number;
  visits: Visit[];
  state: State | null;
  state_since: string | null;
  merged_into: string | null;
  repeat_contacts: number;
}

export interface Person {
  source: string | null;
  agent: string | null;
  person_id: string | null;
  name: string | null;
  site: string | null;
  queues: string[];
  presence: Presence | null;
  since: string | null;
  reason: string | null;
}

export interface Alert {
  alert_id: string;
  title: string | null;
  subject: string | null;
  severity: 'notice' | 'warning' | 'critical' | null;
  state: 'raised' | 'acknowledged' | 'cleared' | 'closed' | null;
  moment_id: string;
  queue: string | null;
  agent: string | null;
  threshold: number;
  actual: number;
  crossed_at: string | null;
  raised_at: string | null;
  cleared_at: string | null;
  late: boolean;
  source_contact_id: string | null;
}

export interface Candidate {
  candidate_id: string;
  moment_id: string;
  agent: string | null;
  queue: string | null;
  state: string | null;
  evidence: { kind: string; text: string }[];
  proposed_at: string | null;
}

export interface CriterionResult {
  criterion_id: string;
  title: string | null;
  section: string | null;
  weight: number;
  critical: boolean;
  fatal: boolean;
  not_applicable: boolean;
  met: boolean;
  wow: boolean;
  actual: number | null;
  metric: string | null;
  comparison: string | null;
  value: number;
}

export interface Evaluation {
  evaluation_id: string;
  moment_id: string;
  standard_title: string | null;
  standard_version: number;
  revision: number;
  raw_score: number | null;
  final_score: number | null;
  critical_score: number | null;
  results: CriterionResult[];
  evaluated_at: string | null;
}

export interface MomentEvent {
  event_id: string;
  source: string | null;
  type: string | null;
  evidence: string | null;
  occurred_at: string | null;
  received_at: string | null;
  queue: string | null;
  agent: string | null;
  reason: string | null;
  score: number | null;
}

export interface Share {
  definition: string;
  value: number | null;
  n: number;
  low: number | null;
  high: number | null;
}

export interface ServiceLevel extends Share {
  threshold_s: number;
  window: { from: string; to: string; tz: string };
}

export interface QueueFigures {
  queue: string;
  name: string;
  site: string | null;
  waiting: number;
  longest_wait_since: string | null;
  in_progress: number;
  answered_today: number;
  abandoned_today: number;
  service_level: Share;
}

export interface Floor {
  position: string;
  server_time: string;
  data_at: string | null;
  lag: Record<string, number | null>;
  service_level: ServiceLevel;
  queues: QueueFigures[];
  people: Person[];
  moments: Moment[];
  alerts: Alert[];
  candidates: Candidate[];
}

// Each section is answered by its owner and may fail alone: one of items and problem is null.
export interface Section<T> {
  items: T[] | null;
  problem: Problem | null;
}

export interface MomentDetail {
  moment: Moment;
  events: Section<MomentEvent>;
  evaluations: Section<Evaluation>;
  alerts: Section<Alert>;
  candidates: Section<Candidate>;
}

export interface Figure {
  value: number | null;
  n: number;
  definition: string;
  low?: number | null;
  high?: number | null;
}

export interface ReportRow {
  start: string;
  end: string;
  key: string | null;
  name: string | null;
  counts: Record<string, number>;
  figures: Record<string, Figure | null>;
  moments: string;
}

export interface Report {
  definition: string;
  threshold_s: number;
  tz: string;
  from: string;
  to: string;
  bucket: string;
  by: string;
  rows: ReportRow[];
  totals: { counts: Record<string, number>; figures: Record<string, Figure | null> };
}

export interface User {
  login: string;
  name: string;
  roles: string[];
  sites: string[];
  teams: string[];
}

export interface Problem {
  status: number;
  type?: string;
  title: string;
  detail?: string;
  field?: string;
}

// Thrown for every answer that is not 2xx, and for no answer at all (status 0).
export class ApiError extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail || problem.title);
  }
}

async function problemOf(response: Response): Promise<Problem> {
  try {
    const body = (await response.json()) as Problem;
    return { ...body, status: response.status };
  } catch {
    return { status: response.status, title: response.statusText || `HTTP ${response.status}` };
  }
}

export async function ask<T>(path: string, init: RequestInit = {}): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, { credentials: 'same-origin', ...init });
  } catch {
    throw new ApiError({ status: 0, title: 'No answer', detail: 'The server does not answer.' });
  }
  if (!response.ok) throw new ApiError(await problemOf(response));
  return (response.status === 204 ? undefined : await response.json()) as T;
}

export const signIn = (login: string, password: string): Promise<void> =>
  ask('/api/v1/session', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ login, password }),
  });
export const signOut = (): Promise<void> => ask('/api/v1/session', { method: 'DELETE' });
export const getUser = (): Promise<User> => ask('/api/v1/session');
// Today begins at midnight where the reader is.
export const getFloor = (): Promise<Floor> =>
  ask(`/api/v1/floor?tz=${encodeURIComponent(Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC')}`);
export const getMoment = (id: string): Promise<MomentDetail> =>
  ask(`/api/v1/moments/${encodeURIComponent(id)}`);
export const getMoments = (query: string): Promise<{ items: Moment[]; next: string | null }> =>
  ask(`/api/v1/moments?${query}`);
export const getReport = (query: string): Promise<Report> => ask(`/api/v1/reports/interval?${query}`);
