// One version of a standard: what an evaluation was made on. It never changes, so it is asked for once.
import { useEffect, useState } from 'preact/hooks';
import { ask, query } from '../api';
import type { ListStandardsResponse, Standard } from '../proto';

const known = new Map<string, Promise<Standard | null>>();

function find(id: string, version: number): Promise<Standard | null> {
  const key = `${id}/${version}`;
  const asked = known.get(key) ?? ask<ListStandardsResponse>(`/api/v1/standards${query({ standard_id: id, history: true })}`)
    .then((answer) => answer.standards.find((s) => s.version === version) ?? null);
  known.set(key, asked);
  // What failed is asked again by whoever needs it next.
  asked.catch(() => known.delete(key));
  return asked;
}

export function useStandardOf(id: string, version: number): Standard | null {
  const [standard, setStandard] = useState<Standard | null>(null);
  useEffect(() => {
    let isGone = false;
    if (id) find(id, version).then((s) => { if (!isGone) setStandard(s); }, () => undefined);
    return () => { isGone = true; };
  }, [id, version]);
  return standard;
}
