// The HTTP API as the page uses it. What the owners send is typed by the protocol (proto.ts); here is what
// reporting answers itself. Times are RFC 3339 strings, durations milliseconds, unknown is null.
import type { Alert, Candidate, Evaluation } from './proto';
import { TEXTS } from './proto-texts';

export type { Alert, Candidate, CriterionResult, Evaluation } from './proto';

export type State = 'started' | 'waiting' | 'ringing' | 'talking' | 'held' | 'ended';
export type Presence = 'available' | 'ringing' | 'busy' | 'wrap' | 'break' | 'offline';
export type Role = 'leader' | 'coach' | 'agent' | 'integrator' | 'operator';

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
  // What the customer signalled; left out by an older server.
  customer_signals?: string[];
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
  user_id: string;
  login: string;
  name: string;
  roles: Role[];
  sites: string[];
  teams: string[];
  person_id: string | null;
}

export interface Site { site_id: string; name: string | null; time_zone: string | null }
export interface Team { team_id: string; name: string | null; site_id: string | null }
export interface DirectoryPerson { person_id: string; name: string | null; site_id: string | null; team_id: string | null; role: string | null }
export interface Queue { queue_id: string; name: string | null; site_id: string | null; listed: boolean }
export interface Directory { sites: Site[]; teams: Team[]; people: DirectoryPerson[]; queues: Queue[] }

export interface Page<T> { items: T[]; next: string | null }

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

export const problemIn = (error: unknown): Problem =>
  (error as Partial<ApiError> | null)?.problem ?? { status: -1, title: String(error) };

async function problemOf(response: Response): Promise<Problem> {
  try {
    const body = (await response.json()) as Problem;
    return { ...body, status: response.status };
  } catch {
    return { status: response.status, title: response.statusText || `HTTP ${response.status}` };
  }
}

// The API says null for an empty text; the protocol's types say text.
export const readJson = (text: string): unknown => JSON.parse(text, (name, value: unknown) => (value === null && TEXTS.has(name) ? '' : value));

export async function ask<T>(path: string, init: RequestInit = {}): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, { credentials: 'same-origin', ...init });
  } catch {
    throw new ApiError({ status: 0, title: 'No answer', detail: 'The server does not answer.' });
  }
  if (!response.ok) throw new ApiError(await problemOf(response));
  return (response.status === 204 ? undefined : readJson(await response.text())) as T;
}

export interface Said {
  body?: unknown;
  // Of what is being changed: goes as If-Match. Nothing: it is new.
  revision?: number | undefined;
  // The same key has its effect once, however often it is sent. Without one each call is one of its own.
  key?: string;
}

// A random id. Not crypto.randomUUID: that is only there over TLS and on localhost.
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = [...bytes].map((b) => b.toString(16).padStart(2, '0')).join('');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

// A command: POST, PUT or DELETE.
export function call<T>(method: 'POST' | 'PUT' | 'DELETE', path: string, { body, revision, key }: Said = {}): Promise<T> {
  const headers: Record<string, string> = { 'Idempotency-Key': key ?? newId() };
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  if (revision) headers['If-Match'] = `"${revision}"`;
  return ask(path, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
}

// "/api/v1/alerts/{}/close" with what stands for each {}.
export const path = (pattern: string, ...ids: (string | number)[]): string => {
  let i = 0;
  return pattern.replaceAll('{}', () => encodeURIComponent(ids[i++] ?? ''));
};

// What is not said is left out; several values repeat the parameter.
export function query(values: Record<string, string | number | boolean | string[] | null | undefined>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (Array.isArray(value)) for (const one of value) search.append(name, one);
    else if (value !== undefined && value !== null && value !== '' && value !== false) search.set(name, String(value));
  }
  return search.size ? `?${search}` : '';
}

export const ownZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';

export const signIn = (login: string, password: string): Promise<void> =>
  ask('/api/v1/session', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ login, password }),
  });
export const signOut = (): Promise<void> => ask('/api/v1/session', { method: 'DELETE' });
export const getUser = (): Promise<User> => ask('/api/v1/session');
// Today begins at midnight where the reader is.
export const getFloor = (): Promise<Floor> => ask(`/api/v1/floor${query({ tz: ownZone() })}`);
export const getMoment = (id: string): Promise<MomentDetail> => ask(path('/api/v1/moments/{}', id));
export const getReport = (search: string): Promise<Report> => ask(`/api/v1/reports/interval?${search}`);
export const getDirectory = (): Promise<Directory> => ask('/api/v1/directory');
